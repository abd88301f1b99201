"""The digest follows imports, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from brainpid.provenance import code_digest, reachable_modules


def test_imports_are_followed():
    train = reachable_modules(["brainpid.stages.train"])
    assert {"brainpid.store", "brainpid.pid", "brainpid.files"} <= train
    assert not {"brainpid.model", "brainpid.baselines.linear", "brainpid.figures"} & train
    assert "brainpid.penalties" in reachable_modules(["brainpid.model"])
    assert "brainpid.penalties" not in reachable_modules(["brainpid.stages.extract"])


def test_models_do_not_share_a_digest():
    assert code_digest("brainpid.model") != code_digest("brainpid.baselines.linear")


def test_an_unknown_module():
    with pytest.raises(ModuleNotFoundError, match=r"brainpid\.nothing"):
        code_digest("brainpid.nothing")


@pytest.mark.parametrize("module", ["torch", "sklearn", "matplotlib", "h5py", "scipy"])
def test_the_snakefile_imports_nothing_heavy(module):
    code = (
        "import sys, brainpid.config, brainpid.models, brainpid.provenance as p;"
        f"p.code_digest('brainpid.stages.train'); sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
