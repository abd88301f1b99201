"""The installation takes packages from where pip would, by uv where it can and by pip where it cannot."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from cohorts import ROOT

SPEC = spec_from_file_location("brainpid_install", ROOT / "envs/install.py")
assert SPEC is not None
assert SPEC.loader is not None
install = module_from_spec(SPEC)
SPEC.loader.exec_module(install)

CONFIGURED = """\
global.index-url='https://mirror.example/simple'
global.extra-index-url='file:///a/simple file:///b/simple'
user.colour='auto'
global.find-links='/old'
:env:.find-links='/wheels'
global.constraint='/etc/constraints.txt'
global.cert='/etc/ca.crt'
install.no-index='true'
"""


def test_uv_is_told_what_pip_is_configured_with():
    options, environment = install.from_pip(CONFIGURED.splitlines())
    assert options == [
        "--index-strategy", "unsafe-best-match", "--default-index", "https://mirror.example/simple",
        "--index", "file:///a/simple", "--index", "file:///b/simple", "--find-links", "/wheels",
        "--constraints", "/etc/constraints.txt", "--no-index",
    ]  # fmt: skip
    assert environment == {"SSL_CERT_FILE": "/etc/ca.crt"}
    assert install.from_pip([]) == (["--index-strategy", "unsafe-best-match"], {})


def test_uv_knows_the_options():
    pytest.importorskip("uv", reason="pip installed here, where uv could not be had")
    told = subprocess.run([sys.executable, "-m", "uv", "pip", "install", "--help"], capture_output=True, text=True)
    for option in (*install.HANDED_ON.values(), "--index-strategy", "--no-index", "--torch-backend"):
        assert re.search(rf"{option}\b", told.stdout), option
    assert "unsafe-best-match" in told.stdout


@pytest.fixture
def called(monkeypatch):
    """Commands that would run, of which those that hold a word fail."""
    found = {"commands": [], "failing": "nothing"}

    def start(command, **more):
        found["commands"].append(" ".join(map(str, command)))
        return subprocess.CompletedProcess(command, found["failing"] in found["commands"][-1], "", "")

    monkeypatch.setattr(install.subprocess, "run", start)
    return found


def commands(called, word):
    return [command for command in called["commands"] if word in command]


def test_all_is_installed_by_uv_and_compiled_once(called):
    assert install.main([]) == 0
    by_uv = commands(called, "-m uv pip install")
    assert len(by_uv) == 3
    assert not commands(called, "--torch-backend")
    assert [command for command in commands(called, "-m pip install") if "uv==" not in command] == []
    assert called["commands"][-1].endswith(install.COMPILED)


@pytest.mark.parametrize("failing", ["uv==", "-m uv pip install"])
def test_pip_installs_where_uv_cannot(called, capsys, failing):
    called["failing"] = failing
    assert install.main([]) == 0
    by_pip = [command for command in commands(called, "-m pip install --no-compile") if "uv==" not in command]
    assert len(by_pip) == 3
    assert f"-r {install.LOCK}" in by_pip[0]
    assert "pip installs instead" in capsys.readouterr().err


def test_a_build_of_torch_is_handed_on_and_never_passed_over(called, capsys):
    assert install.main(["--torch-backend", "cpu"]) == 0
    (command,) = commands(called, "--torch-backend cpu --reinstall-package torch")
    assert f"-r {install.LOCK}" in command
    called["failing"] = "-m uv pip install"
    assert install.main(["--torch-backend", "cpu"]) == 1
    assert "error: TORCH=cpu needs uv" in capsys.readouterr().err
