"""A base learner of the user's own, by the configuration: trained, explained, saved and used on new people."""

from __future__ import annotations

import json
import sys

import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from verbs import run_tables

from brainpid.cli import main
from brainpid.config.schema import load_config
from brainpid.core.errors import InputError

SOURCE = """
from sklearn.linear_model import Ridge


class Mine(Ridge):
    pass
"""


def configuration(folder, own):
    write_cohort(folder / "a", make_tables(48))
    quick = {"members": 2, "epochs": 1, "hidden": [4], "latent_dim": 2, "recipe": "compact", "experts": [own]}
    more = {"models": ["pidreg"], "splits": {"folds": 2, "repeats": 1}, "null": {"permutations": 9}}
    more |= {"hyperparameters": {"pidreg": quick}, "explain": {"permutations": 1}}
    return write_config(folder / "c.yaml", make_config(folder, ["a"], folder / "out", **more))


def test_it_is_trained_explained_saved_and_used(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_learners.py").write_text(SOURCE)
    out = run_tables(configuration(tmp_path, {"import": "my_learners.Mine", "alpha": 3.0}))
    written = json.loads((out / "folds/pidreg/repeat-0_fold-0/provenance.json").read_text())
    assert set(written["chosen"]["expert_weights"]) == {"network", "Mine", "head"}
    assert list(written["generated_by"]["own_code"]) == ["my_learners"]
    assert written["settings"]["hyperparameters"]["experts"] == [{"import": "my_learners.Mine", "alpha": 3.0}]
    assert (out / "folds/pidreg/repeat-0_fold-0/importance.tsv").is_file()
    pairs = [f"{m}={tmp_path}/a/{m}.tsv" for m in ("t1", "dwi")]
    new = ["predict", "--model", f"{out}/final/pidreg", "--tables", *pairs, "--out", f"{tmp_path}/new.tsv"]
    assert main(new) == 0
    assert pd.read_csv("new.tsv", sep="\t")["predicted_age"].notna().all()
    (out / "final/pidreg/own_Mine.joblib").unlink()
    capsys.readouterr()
    assert main(new) == 2
    assert "own_Mine.joblib: expected the base learner my_learners.Mine" in " ".join(capsys.readouterr().err.split())


def test_installed_packages_are_recorded_by_version(tmp_path):
    out = run_tables(configuration(tmp_path, {"import": "sklearn.linear_model.Ridge"}))
    written = json.loads((out / "folds/pidreg/repeat-0_fold-0/provenance.json").read_text())
    assert "scikit-learn" in written["versions"]
    assert written["generated_by"]["own_code"] == {}


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ("forrest", "hyperparameters.pidreg.experts.0: expected 'auto', .*'boosting' or a mapping .*, found 'forrest'"),
        ({"alpha": 1}, "hyperparameters.pidreg.experts.0: expected the key 'import' with a class by its module"),
        ({"import": "a.B", "not a word": 1}, "expected keyword arguments of a.B as keys, found 'not a word'"),
    ],
)
def test_what_is_no_description_is_refused_in_the_words_of_the_configuration(tmp_path, own, words):
    with pytest.raises(InputError, match=words):
        load_config(configuration(tmp_path, own))


def test_a_model_to_be_shared_refuses_it(tmp_path):
    path = configuration(tmp_path, {"import": "sklearn.linear_model.Ridge"})
    path.write_text(path.read_text() + "final_model: {share: true}\n")
    with pytest.raises(InputError, match=r"final_model.share: 'sklearn.linear_model.Ridge' of .* may keep training"):
        load_config(path)


def test_check_says_what_cannot_be_made(tmp_path, capsys):
    path = configuration(tmp_path, {"import": "sklearn.linear_model.Ridge", "alpa": 1})
    assert main(["check", "--config", str(path)]) == 2
    assert "unknown keyword 'alpa'; did you mean 'alpha'?" in " ".join(capsys.readouterr().err.split())
