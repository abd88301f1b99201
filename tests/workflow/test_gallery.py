"""The how-to gallery: every example runs and shows what it says, and what its pages tell to do is enough to do it."""

from __future__ import annotations

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import yaml
from cohorts import ROOT
from snakemake_runs import SOURCES, done, planned

pytestmark = pytest.mark.slow

GALLERY = ROOT / "docs" / "gallery"
EXAMPLES = sorted(path.stem for path in GALLERY.glob("plot_*.py"))


def constant(example, name):
    """A text that an example shows, such as its configuration."""
    for node in ast.parse((GALLERY / f"{example}.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == name:
            return ast.literal_eval(node.value)
    raise LookupError(f"{example} has no {name}")


def read(path):
    return pd.read_csv(path, sep="\t", keep_default_na=False, na_values="n/a")


@pytest.fixture
def ran(monkeypatch):
    """Run an example, and give its names; what it changes in the process is undone."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PYTHONPATH", str(SOURCES))
    monkeypatch.setattr(plt, "show", lambda: None)
    plt.switch_backend("Agg")
    before = set(sys.modules)
    yield lambda example: runpy.run_path(str(GALLERY / f"{example}.py"))
    for name in {"my_models"} - before:
        sys.modules.pop(name, None)
    plt.close("all")


def shows_that_blood_adds_nothing(names):
    rows = names["rows"].set_index(["modalities", "atom"])
    assert (rows.loc[[("mri", "alone"), ("mri", "added"), ("blood", "alone")], "ci_low"] > 0.1).all()
    assert rows.loc[("blood", "added"), "ci_low"] < 0 < rows.loc[("blood", "added"), "ci_high"] < 0.03
    assert names["p_values"]["mri"] < 0.01 < 0.05 < names["p_values"]["blood"]


def shows_that_mmi_gives_the_weaker_nothing(names):
    for mmi, idep in zip(names["found"]["mmi"], names["found"]["idep"], strict=True):
        assert mmi.atom("all", "dwi", "unique").bits == pytest.approx(0, abs=1e-9)
        assert idep.atom("all", "dwi", "unique").bits > 0.01
        for m in ("t1", "dwi"):
            added = [found.atom("one_vs_rest", m, "added").bits for found in (mmi, idep)]
            assert added[0] == pytest.approx(added[1], abs=1e-9)


def shows_how_many_people_it_takes(names):
    assert names["partial_r"] == pytest.approx(0.259, abs=0.001)
    assert names["power"][100] < 0.1
    assert names["power"][800] > 0.95
    assert 400 < names["enough"] < 700
    assert np.mean([row.bits for row in names["added"][800]]) == pytest.approx(0.05, abs=0.005)


def shows_that_an_own_learner_has_a_share(names):
    assert names["model"].expert_weights_["Alike"] > 0.02
    shares = names["shares"].set_index("base_learner")["share"]
    assert 0.02 < shares["Alike"] < 0.5
    pidreg, ridge = names["pidreg"].loc["t1"], names["own"].atom("one_vs_rest", "t1", "added")
    assert pidreg["ci_low"] > ridge.ci_high  # a straight line misses what bends


def shows_that_meg_adds(names):
    rows = names["rows"].set_index(["modalities", "atom"])
    assert rows.loc[("meg", "added"), "ci_low"] > 0
    assert rows.loc[("fmri", "added"), "ci_low"] < 0 < rows.loc[("fmri", "added"), "ci_high"]
    assert (rows["n"] == 120).all()
    units = (names["folder"] / "results/features.tsv").read_text()
    assert units.count("\tfT") == 6


def shows_who_failed_and_why(names):
    people = names["people"].set_index("participant_id")
    assert people["sulci_status"].value_counts().to_dict() == {"SUCCESS": 98, "FAIL": 1, "UNAVAILABLE": 1}
    assert "2 vertices, expected 100 or more" in people.loc["sub-003", "sulci_reason"]
    assert "surf/lh.depth.txt" in people.loc["sub-007", "sulci_reason"]
    assert people["included"].all()
    rows = names["rows"].set_index(["modalities", "atom"])
    assert rows.loc[("sulci", "added"), "ci_low"] > 0
    features = read(names["folder"] / "results/features.tsv").query("modality == 'sulci'").set_index("feature")
    assert features["units"].to_dict() == {"depth_lh": "mm", "deep_lh": "1", "depth_rh": "mm", "deep_rh": "1"}
    config = names["folder"] / "study.yaml"
    assert planned(config) == {}
    (names["folder"] / "my_features.py").write_text(names["FUNCTION"] + "# another\n")
    assert planned(config)["extract_images"] == 1  # other code, other numbers


def shows_what_the_tables_hold(names):
    assert len(names["person"]) == names["n"]
    assert np.corrcoef(names["person"]["age"], names["person"]["predicted_age"])[0, 1] > 0.8
    assert set(names["headline"].query("scope == 'all'")["atom"]) == {"total", "unique", "redundant", "synergy"}
    shown = names["features"].loc["sub-005", "t1_2"]
    table = pd.read_csv(names["folder"] / "t1.tsv", sep="\t").set_index("participant_id")
    assert shown == pytest.approx(table.loc["sub-005", "t1_2"], abs=1e-5)


def shows_that_a_second_modality_narrows(names):
    only, both, age = names["only_t1"], names["both"], names["new"]["age"]
    width = [(found["pi_high"] - found["pi_low"]).mean() for found in (only, both)]
    assert width[1] < 0.95 * width[0]
    held = [((found["pi_low"] <= age) & (age <= found["pi_high"])).mean() for found in (only, both)]
    assert min(held) >= 0.75  # of 30 people, 90% promised
    error = [(found["predicted_age"] - age).abs().mean() for found in (only, both)]
    assert error[1] < error[0]


def shows_the_leak_and_its_cure(names):
    apart, together = names["rows_apart"].loc["skull"], names["rows_together"].loc["skull"]
    assert apart["ci_low"] > 0.1
    assert apart["p_value"] < 0.01
    assert together["ci_low"] < 0 < together["ci_high"] < 0.05
    assert together["p_value"] > 0.05
    assert names["rows_together"].loc["t1", "ci_low"] > 0.2


def shows_which_scan_is_worth_it(names):
    selection = names["selection"]
    assert selection.loc[selection["recommended"], "modalities"].tolist() == ["t1+dwi"]
    gains = names["gains"]
    assert gains["gain_dwi"].mean() > 2
    assert gains["gain_dwi"].mean() > gains["gain_fmri"].mean() + 2
    assert gains["gain_t1"].isna().all()
    assert (names["folder"] / "results/plan/plan.svg").is_file()
    assert len(names["plan"]) > 0


SHOWN = {
    "plot_any_table": shows_that_blood_adds_nothing,
    "plot_two_measures": shows_that_mmi_gives_the_weaker_nothing,
    "plot_power": shows_how_many_people_it_takes,
    "plot_own_model": shows_that_an_own_learner_has_a_share,
    "plot_own_modality": shows_that_meg_adds,
    "plot_own_extractor": shows_who_failed_and_why,
    "plot_read_results": shows_what_the_tables_hold,
    "plot_new_scan": shows_that_a_second_modality_narrows,
    "plot_families": shows_the_leak_and_its_cure,
    "plot_which_scan": shows_which_scan_is_worth_it,
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_shows_what_it_says(example, ran):
    names = ran(example)
    SHOWN[example](names)
    figures = [plt.figure(number) for number in plt.get_fignums()]
    assert len(figures) == 1
    assert all(axes.get_xlabel() or axes.get_ylabel() for axes in figures[0].axes)


def test_every_example_is_a_page_with_its_lesson():
    assert len(EXAMPLES) == 10
    for example in EXAMPLES:
        page = ast.get_docstring(ast.parse((GALLERY / f"{example}.py").read_text()))
        title, line = page.splitlines()[:2]
        assert line == "=" * len(title)
        assert page.count("**The one thing to learn:**") == 1


@pytest.fixture(scope="module")
def by_the_docs(tmp_path_factory):
    """A study of one's own with a fourth modality and an own base learner, by what two pages say alone."""
    folder = tmp_path_factory.mktemp("by_the_docs")
    rng = np.random.default_rng(5)
    n = 90
    labels = [f"sub-P{i:03d}" for i in range(n)]
    score = rng.uniform(-1.7, 1.7, n)
    people = pd.DataFrame(
        {"participant_id": labels, "age": (50 + 17 * score).round(1), "sex": rng.choice(["F", "M"], n)}
    )
    people.to_csv(folder / "participants.tsv", sep="\t", index=False)
    for modality, noise in (("t1", 2), ("dwi", 2), ("fmri", 9), ("meg", 1)):
        table = pd.DataFrame(score[:, None] + noise * rng.standard_normal((n, 3)))
        table.columns = [f"{modality}_{k}" for k in range(3)]
        table.insert(0, "participant_id", labels)
        table.iloc[5 if modality == "meg" else 0 :].to_csv(folder / f"{modality}.tsv", sep="\t", index=False)
    config = yaml.safe_load(constant("plot_own_modality", "CONFIG"))
    own_model = yaml.safe_load(constant("plot_own_model", "CONFIG"))
    config |= {key: own_model[key] for key in ("models", "hyperparameters", "splits", "folds_per_job", "final_model")}
    (folder / "study.yaml").write_text(yaml.safe_dump(config))
    (folder / "my_models.py").write_text(constant("plot_own_model", "MODEL"))
    done(folder / "study.yaml")
    return folder


def test_a_fourth_modality_and_an_own_model_by_the_docs_alone(by_the_docs):
    results = by_the_docs / "results"
    people = read(results / "participants.tsv")
    assert (people["meg_status"] == "SUCCESS").sum() == 85
    pid = read(results / "aggregate/pid.tsv").query("estimator == 'log_score' and measure == 'idep' and given == ''")
    added = pid.query("scope == 'one_vs_rest' and atom == 'added'").set_index("modalities")
    assert list(added.index) == ["t1", "dwi", "fmri", "meg"]
    assert added.loc["meg", "ci_low"] > 0
    assert added["bits"].idxmax() == "meg"
    learners = read(results / "aggregate/base_learners.tsv").set_index("base_learner")
    assert learners.loc["Alike", "n_folds"] == 3
    assert 0 <= learners.loc["Alike", "share"] <= 1
    assert (results / "folds/pidreg/repeat-0_fold-0/own_Alike.joblib").is_file()
    assert "meg" in (results / "report.html").read_text()


def test_results_are_read_with_pandas_and_h5py_alone(by_the_docs):
    text = (GALLERY / "plot_read_results.py").read_text()
    reading = text[text.index("# Tables, in pandas") : text.index("# In R\n")]
    assert "brainpid." not in reading
    start = (
        "import sys; sys.modules['brainpid'] = None\nimport json, h5py\nimport pandas as pd\nfrom pathlib import Path\n"
    )
    end = "print(len(person), len(pid), joined['brain_pad_corrected'].notna().sum(), *features.shape)"
    code = f"{start}results = Path('results')\n{reading}\n{end}\n"
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, cwd=by_the_docs, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    n_rows = len((by_the_docs / "results/aggregate/pid.tsv").read_text().splitlines()) - 1
    assert told.stdout.splitlines()[-1] == f"90 {n_rows} 90 90 3"


def test_the_lines_for_r_name_what_is_there(by_the_docs):
    text = (GALLERY / "plot_read_results.py").read_text()
    lines = text[text.index("# In R\n") : text.index("# The figure")]
    files = set(re.findall(r'"(results/[^"]+)"', lines))
    assert len(files) == 4
    assert all((by_the_docs / file).is_file() for file in files)
    columns = {*read(by_the_docs / "results/aggregate/pid.tsv"), *read(by_the_docs / "results/aggregate/person.tsv")}
    named = {"estimator", "given", "measure", "scope", "modalities", "atom", "bits", "ci_low", "ci_high"}
    named |= {"brain_pad_corrected", "participant_id", "cohort"}
    assert all(name in lines for name in named)
    assert named <= columns


def test_no_example_holds_a_path_of_a_machine():
    for path in (*GALLERY.glob("*.py"), Path(GALLERY, "GALLERY_HEADER.rst")):
        assert not re.search(r"/(home|tmp|work|Users)/", path.read_text()), path
