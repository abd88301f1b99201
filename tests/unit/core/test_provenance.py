"""The digest follows imports, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from brainpid.core.provenance import code_digest, mixed_versions, reachable_modules, record, trained_with


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


def test_results_of_different_versions_are_told_apart():
    new, old = ({"versions": {"scikit-learn": number}, "python": "3.11.7"} for number in ("1.7.2", "1.6.1"))
    folds = {f"ridge, repeat 0 fold {fold}": new for fold in range(3)}
    assert mixed_versions(folds) == []
    folds["ridge, repeat 0 fold 1"] = old
    assert mixed_versions(folds) == ["scikit-learn 1.6.1 (ridge, repeat 0 fold 1), 1.7.2 (the others)"]
    # Models use different libraries, which is no difference of versions.
    folds["pidreg, repeat 0 fold 0"] = {"versions": {"torch": "2.9"}, "python": "3.12.1"}
    assert mixed_versions(folds) == [
        "python 3.12.1 (pidreg, repeat 0 fold 0), 3.11.7 (the others)",
        "scikit-learn 1.6.1 (ridge, repeat 0 fold 1), 1.7.2 (the others)",
    ]
    made = record("brainpid.commands.collect", {})
    assert mixed_versions({"a": made, "b": {**made, "generated_by": {"version": "0.0"}}})[0].startswith("brainpid 0.")


def test_versions_of_all_folds_stand_together():
    one = {"python": "3.11.7", "generated_by": {"version": "0.1"}, "versions": {"torch": "2.1", "numpy": "2.3.5"}}
    other = {"python": "3.11.7", "versions": {"numpy": "1.26.4"}}
    assert trained_with([one, other]) == {
        "brainpid": "0.1",
        "numpy": "1.26.4, 2.3.5",
        "python": "3.11.7",
        "torch": "2.1",
    }
    assert trained_with([]) == {}
