"""The command line: an answer of the machine is a sentence, and a variable of the environment is no reason to stop."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from brainpid import cli
from brainpid.cli import main


@pytest.fixture
def failing(monkeypatch):
    """Let the verb `quality` end in an error."""

    def set_fault(fault: BaseException) -> None:
        def run(args):
            raise fault

        verb = SimpleNamespace(run=run, add_arguments=lambda parser: None)
        monkeypatch.setattr(cli, "import_module", lambda name: verb)

    return set_fault


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, 1), (errno.EIO, 1), (errno.ESTALE, 1), (errno.EROFS, 1), (errno.EACCES, 1), (errno.EDQUOT, 1),
     (errno.EMFILE, 1), (errno.ENOMEM, 1), (errno.ENOENT, 2), (errno.EISDIR, 2), (errno.ENOTDIR, 2)],
)  # fmt: skip
def test_an_answer_of_the_system_is_a_sentence(failing, capsys, number, code):
    failing(OSError(number, os.strerror(number), "/data/t.tsv"))
    assert main(["quality"]) == code
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    for part in (errno.errorcode[number], os.strerror(number), "/data/t.tsv"):
        assert part in message
    with pytest.raises(OSError, match=r"/data/t\.tsv"):
        main(["--debug", "quality"])


def test_no_memory_is_a_sentence_and_what_nobody_foresaw_is_not(failing, capsys):
    failing(MemoryError("Unable to allocate 8.00 TiB"))
    assert main(["quality"]) == 1
    assert "Unable to allocate 8.00 TiB" in capsys.readouterr().err
    failing(OSError("cannot identify image file"))
    with pytest.raises(OSError, match="cannot identify"):
        main(["quality"])


def test_an_interrupt_is_a_sentence(failing, capsys):
    failing(KeyboardInterrupt())
    assert main(["quality"]) == 130
    assert capsys.readouterr().err == (
        "Stopped by Ctrl-C: no file is half-written, and the same command starts the work again.\n"
    )
    with pytest.raises(KeyboardInterrupt):
        main(["--debug", "quality"])


def test_docstrings_may_be_gone():
    """Libraries of images cannot be imported then: the program starts itself anew with them."""
    code = (
        "import os, sys\nfrom brainpid import cli\nsys.argv = ['brainpid', 'quality', '--help']\n"
        "assert False, 'asserts are gone too'\ncli.main()"
    )
    given = os.environ | {"PYTHONOPTIMIZE": "2"}
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: brainpid quality ")
    code = "import os\nfrom brainpid import cli\nos.execve = lambda path, argv, env: exit(str(sorted(env)))\ncli.main()"
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=False)
    assert "'PATH'" in done.stderr
    assert "PYTHONOPTIMIZE" not in done.stderr
    done = subprocess.run([sys.executable, "-c", f"{code.replace('main()', 'main([])')}"], env=given, check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert "the following arguments are required: VERB" in done.stderr  # as a function it starts nothing


def test_any_name_can_be_shown(capfd):
    """In a terminal of another encoding, and names that have none."""
    code = "from brainpid import cli\ncli._parse = lambda argv: print('\\udcfc ü') or exit(0)\ncli.main([])"
    given = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "\\udcfc \\xfc\n")


def test_who_listens_no_longer_is_no_traceback():
    code = "from brainpid import cli\ncli._parse = lambda argv: [print('x' * 100) for _ in range(10000)]\ncli.main([])"
    done = subprocess.run(
        f'{sys.executable} -c "{code}" | head -c 10', shell=True, capture_output=True, text=True, check=False
    )
    assert done.stdout == "x" * 10
    assert "Traceback" not in done.stderr


def test_the_whole_parser_has_the_options_of_every_verb():
    (verbs,) = (action.choices for action in cli.whole_parser()._actions if action.dest == "verb")
    assert list(verbs) == list(cli.VERBS)
    with_options = [verb for verb, parser in verbs.items() if len(parser._actions) > 2]
    assert set(with_options) >= {"run", "check", "extract", "pid", "plan"}
    args = cli.whole_parser().parse_args(["plan", "results/mine", "--to", "1.5"])
    assert (args.verb, str(args.run)) == ("plan", "results/mine")
