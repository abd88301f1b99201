"""The digest follows imports, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from brainpid.core.provenance import code_digest, reachable_modules


def test_imports_are_followed():
    train = reachable_modules(["brainpid.commands.train"])
    assert {"brainpid.features.store", "brainpid.pid.decompose", "brainpid.core.files"} <= train
    assert not {"brainpid.model.pidreg.estimator", "brainpid.model.baselines.linear", "brainpid.report.figures"} & train
    assert "brainpid.model.pidreg.network.penalties" in reachable_modules(["brainpid.model.pidreg.estimator"])
    assert "brainpid.model.pidreg.network.penalties" not in reachable_modules(["brainpid.commands.extract"])


def test_models_do_not_share_a_digest():
    assert code_digest("brainpid.model.pidreg.estimator") != code_digest("brainpid.model.baselines.linear")


def test_an_unknown_module():
    with pytest.raises(ModuleNotFoundError, match=r"brainpid\.nothing"):
        code_digest("brainpid.nothing")


@pytest.mark.parametrize("module", ["torch", "sklearn", "matplotlib", "h5py", "scipy"])
def test_the_snakefile_imports_nothing_heavy(module):
    code = (
        "import sys, brainpid.config.schema, brainpid.model.registry, brainpid.core.provenance as p;"
        f"p.code_digest('brainpid.commands.train'); sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
