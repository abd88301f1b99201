"""A shell completes verbs, their options and choices, and files, without starting the program."""

from __future__ import annotations

import io
import subprocess
from contextlib import redirect_stdout

import pytest

from brainpid.cli import VERBS, main, whole_parser

ASK = """
source {script}
COMP_WORDS=({words} "{begun}") COMP_CWORD={number} COMPREPLY=()
_shtab_brainpid brainpid "{begun}" "" 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """Ask bash for what may follow some words, in a folder with one configuration."""
    folder = tmp_path_factory.mktemp("completion")
    (folder / "mine.yaml").touch()
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert main(["completion", "bash"]) == 0
    (folder / "script.sh").write_text(printed.getvalue())

    def ask(words: str, begun: str) -> list[str]:
        text = ASK.format(script=folder / "script.sh", words=words, begun=begun, number=len(words.split()))
        return subprocess.run(["bash", "-c", text], cwd=folder, capture_output=True, text=True).stdout.split()

    return ask


@pytest.mark.parametrize(
    ("words", "begun", "expected"),
    [("brainpid", "co", {"collect", "completion"}),
     ("brainpid predict", "--mo", {"--model"}),
     ("brainpid pid --measure", "", {"mmi", "idep"}),
     ("brainpid run", "mi", {"mine.yaml"})],
)  # fmt: skip
def test_bash_completes(complete, words, begun, expected):
    assert set(complete(words, begun)) == expected


def test_every_verb_has_its_options_in_the_whole_parser(capsys):
    assert main(["completion", "zsh"]) == 0
    script = capsys.readouterr().out
    assert script.startswith("#compdef brainpid")
    for verb in VERBS:
        assert f"\n    {verb}:'" in script
    parser = whole_parser()
    assert parser.parse_args(["demo", "--images-only"]).images_only
    assert parser.parse_args(["plan", "results/mine"]).verb == "plan"
