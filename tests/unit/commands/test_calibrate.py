"""`brainpid calibrate` and what `predict` does with its folder: new sites, one after the other."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config

from brainpid.cli import main
from brainpid.config.harmonise import Harmonise
from brainpid.core.files import read_json, read_own_tsv, write_json
from brainpid.evaluation.local_promise import learned, promise_table
from brainpid.evaluation.predictions import predict_table
from brainpid.model.fitting import Fitted, fit_model
from brainpid.model.harmonised import Harmoniser
from brainpid.report.calibration_columns import calibration_dictionary

SITES = [f"s{k}" for k in range(6)]


def tables_of(n: int, seed: int, site: list[str], shift: np.ndarray) -> dict[str, pd.DataFrame]:
    """Tables of people whose first features are moved by their site."""
    tables = make_tables(n, seed=seed)
    tables["participants"]["site"] = site
    for name in ("t1", "dwi"):
        columns = [column for column in tables[name] if column != "participant_id"]
        tables[name][columns] += shift[:, None]
    return tables


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A final model and what its run learned from sites left out, and a configuration of two new sites."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    site = np.repeat(SITES, 14)
    tables = tables_of(84, 0, list(site), np.repeat(rng.normal(0, 1.2, 6), 14))
    write_cohort(folder / "a", tables)
    people = tables["participants"].assign(cohort="a")
    X = {name: tables[name].drop(columns="participant_id") for name in ("t1", "dwi")}
    out = folder / "out"
    parts = []
    for scheme, groups in (("kfold", np.arange(84) % 2), ("leave_one_site_out", site)):
        for one in np.unique(groups):
            train, test = groups != one, groups == one
            fitted = fit(X, people, train)
            held_out = {name: own[test].to_numpy() for name, own in X.items()}
            told = predict_table(fitted.model, held_out, people[test], fitted.biases, 0.9, people[train])
            parts.append(told.assign(model="ridge", repeat=0, fold=0, scheme=scheme))
    promise = promise_table(pd.concat(parts), ("kfold", "leave_one_site_out"), 0.9, 0.95)
    write_json(out / "aggregate/calibration.json", calibration_dictionary(learned(promise, "years")))
    final = fit(X, people, np.ones(84, dtype=bool))
    final.model.save(out / "final/ridge")

    write_json(out / "final/ridge/provenance.json", {"model": "ridge"} | final.biases.written())
    where = ["north"] * 40 + ["south"] * 20
    write_cohort(folder / "new", tables_of(60, 5, where, np.repeat([1.2, -0.8], [40, 20])))
    write_config(folder / "new.yaml", make_config(folder, ["new"], out))
    return folder, out


def fit(X: dict[str, pd.DataFrame], people: pd.DataFrame, rows: np.ndarray) -> Fitted:
    own = {name: table[rows] for name, table in X.items()}
    sites = people.loc[rows, "site"].to_numpy(dtype=object)
    return fit_model("ridge", {}, own, people.loc[rows, "age"].to_numpy(float), None, 0, sites)


@pytest.fixture
def calibrate(study, tmp_path, capsys):
    """Calibrate; the folder's ``calibration.json``, or the message where the exit code is 2."""
    folder, out = study

    def run(to, *options, model=out / "final/ridge"):
        code = main(["calibrate", "--model", str(model), "--config", str(folder / "new.yaml"), *map(str, options),
                     "--out", str(tmp_path / to)])  # fmt: skip
        if code:
            assert code == 2
            return " ".join(capsys.readouterr().err.split())
        return json.loads((tmp_path / to / "calibration.json").read_text())

    return run


@pytest.fixture
def predict(study, tmp_path, capsys):
    folder, out = study

    def run(*options, model=out / "final/ridge"):
        given = options or ("--config", folder / "new.yaml")
        code = main(["predict", "--model", str(model), *map(str, given), "--out", str(tmp_path / "p.tsv")])
        if code:
            return " ".join(capsys.readouterr().err.split())
        return read_own_tsv(tmp_path / "p.tsv")

    return run


def ages(study):
    return pd.read_csv(study[0] / "new/participants.tsv", sep="\t")["age"].to_numpy()


def test_ten_people_take_the_bias_of_the_site_away(study, calibrate, predict, tmp_path, capsys):
    before = predict()
    assert before["site_seen"].tolist() == ["no"] * 60
    assert (before["local_people"] == 0).all()
    seen = read_json(study[1] / "aggregate/calibration.json")["Learned"]["ridge"]["error_seen"]
    np.testing.assert_allclose(before["error_growth"], before["expected_error"] - seen, atol=1e-5)
    told = calibrate("ten", "--people", 10)
    assert {name: own["people"] for name, own in told["sites"].items()} == {"north": 10, "south": 10}
    assert "north: by 10 people" in capsys.readouterr().out
    after = predict(model=tmp_path / "ten")
    # Those who calibrated their site are corrected by the others of it.
    assert after.groupby(np.repeat(["north", "south"], [40, 20]))["local_people"].value_counts().to_dict() == {
        ("north", 10): 30, ("north", 9): 10, ("south", 10): 10, ("south", 9): 10,
    }  # fmt: skip
    assert after["expected_error"].mean() < before["expected_error"].mean()
    error = {name: own["predicted_age"].to_numpy() - ages(study) for name, own in (("no", before), ("yes", after))}
    for rows in (slice(0, 40), slice(40, 60)):
        assert abs(error["yes"][rows].mean()) < 0.4 * abs(error["no"][rows].mean())
    assert ((after["pi_low"] < after["predicted_age"]) & (after["predicted_age"] < after["pi_high"])).all()
    # The same people and seed give the same, another seed draws others.
    assert calibrate("again", "--people", 10) == told
    assert calibrate("other", "--people", 10, "--seed", 1)["sites"]["north"] != told["sites"]["north"]


def test_patients_and_excluded_people_calibrate_nothing(study, calibrate, tmp_path):
    """The corrections are those of the same tables without them."""
    tables = {name: pd.read_csv(study[0] / f"new/{name}.tsv", sep="\t") for name in ("participants", "t1", "dwi")}
    people = tables["participants"]
    patient, excluded = np.arange(60) % 4 == 0, np.arange(60) % 10 == 1
    write_cohort(tmp_path / "all", tables | {"participants": people.assign(group=np.where(patient, "p", "c"))})
    why = pd.DataFrame({"participant_id": people.loc[excluded, "participant_id"], "reason": "moved"})
    why.to_csv(tmp_path / "exclude.tsv", sep="\t", index=False)
    config = make_config(tmp_path, ["all"], tmp_path / "out", train_on={"group": "c"})
    config["cohorts"]["all"]["exclude"] = str(tmp_path / "exclude.tsv")
    write_cohort(tmp_path / "few", {name: own[~patient & ~excluded] for name, own in tables.items()})
    few = write_config(tmp_path / "few.yaml", make_config(tmp_path, ["few"], tmp_path / "out"))
    everybody = write_config(tmp_path / "all.yaml", config)
    told, expected = (calibrate(path.stem, "--config", path)["sites"] for path in (everybody, few))
    assert {site: own["people"] for site, own in told.items()} == {"north": 26, "south": 13}
    for site, own in told.items():
        assert own["known"] == pytest.approx(expected[site]["known"])
        for key in ("zz", "zr", "rr", "offset", "slope", "at"):
            np.testing.assert_allclose(own[key], expected[site][key], rtol=1e-9)


def test_with_nobody_predictions_stay_and_intervals_are_those_of_sites_left_out(study, calibrate, predict, tmp_path):
    before = predict()
    tables = {name: pd.read_csv(study[0] / f"new/{name}.tsv", sep="\t") for name in ("participants", "t1", "dwi")}
    write_cohort(tmp_path / "new", tables | {"participants": tables["participants"].drop(columns="age")})
    without_ages = write_config(tmp_path / "new.yaml", make_config(tmp_path, ["new"], tmp_path / "out"))
    told = calibrate("none", "--people", 0, "--config", without_ages)
    assert "age" in calibrate("x", "--config", without_ages)
    assert told["sites"]["north"]["people"] == 0
    after = predict(model=tmp_path / "none")
    np.testing.assert_array_equal(after["predicted_age"], before["predicted_age"])
    assert (after["local_people"] == 0).all()
    width = after["pi_high"] - after["pi_low"]
    assert width[:40].mean() == pytest.approx(told["sites"]["north"]["width"])
    assert told["sites"]["north"]["offset"] == 0
    assert told["sites"]["north"]["expected_error"] == pytest.approx(after["expected_error"][:40].mean())
    pd.testing.assert_series_equal(after["predicted_age_corrected"], before["predicted_age_corrected"])


def test_sites_are_added_one_after_the_other_and_training_sites_are_left_as_they_are(
    study, calibrate, predict, tmp_path
):
    folder, _ = study
    people = pd.read_csv(folder / "new/participants.tsv", sep="\t")
    rows = {"north": people["site"] == "north", "south": people["site"] == "south"}
    content = make_config(folder, ["new", "a"], folder / "out")
    for name, own in rows.items():
        tables = {m: pd.read_csv(folder / f"new/{m}.tsv", sep="\t")[own] for m in ("participants", "t1", "dwi")}
        write_cohort(tmp_path / name, tables)
        write_config(tmp_path / f"{name}.yaml", make_config(tmp_path, [name], folder / "out"))
    first = calibrate("one", "--config", tmp_path / "north.yaml")
    assert list(first["sites"]) == ["north"]
    half = predict(model=tmp_path / "one")
    assert half["local_people"].tolist() == [39] * 40 + [0] * 20
    second = calibrate("two", "--config", tmp_path / "south.yaml", model=tmp_path / "one")
    assert second["sites"] == calibrate("both")["sites"]
    of_training = predict(
        "--config", write_config(tmp_path / "a.yaml", content), "--cohorts", "a", model=tmp_path / "two"
    )
    plain = predict("--config", tmp_path / "a.yaml", "--cohorts", "a")
    columns = ["predicted_age", "pi_low", "pi_high", "expected_error"]
    pd.testing.assert_frame_equal(of_training[columns], plain[columns])
    assert of_training["local_people"].isna().all()
    assert (of_training["error_growth"] == 0).all()
    assert "all sites took part in the training: s0" in calibrate(
        "x", "--config", tmp_path / "a.yaml", "--cohorts", "a"
    )


def test_tables_say_their_site_or_are_refused(study, calibrate, predict, tmp_path):
    folder, _ = study
    calibrate("ten", "--people", 10)
    given = ["--tables", f"t1={folder}/new/t1.tsv", f"dwi={folder}/new/dwi.tsv"]
    message = predict(*given, model=tmp_path / "ten")
    assert "the model is calibrated at north, south, and tables do not say" in message
    north = predict(*given, "--site", "north", model=tmp_path / "ten")
    expected = predict(model=tmp_path / "ten")
    np.testing.assert_allclose(north["predicted_age"][:40], expected["predicted_age"][:40])
    spaces = predict(*given, "--site", " north ", model=tmp_path / "ten")
    pd.testing.assert_frame_equal(spaces, north)
    assert "--site: expected the name of a site, found an empty text" in predict(*given, "--site", " ")
    other = predict(*given, "--site", "elsewhere", model=tmp_path / "ten")
    assert (other["local_people"] == 0).all()
    assert "--site: expected with --tables" in predict("--config", folder / "new.yaml", "--site", "north")


def test_what_cannot_be_is_refused(study, calibrate, tmp_path):
    _, out = study
    assert "site 'south' has 20 people with a target" in calibrate("x", "--people", 30)
    assert "expected 0 or more people" in calibrate("x", "--people", -1)
    assert "expected what a run learned from sites left out, found none" in calibrate("x", "--learned", tmp_path / "no")
    (tmp_path / "empty.json").write_text('{"Learned": {}}')
    assert "found none; it needs 5 sites" in calibrate("x", "--learned", tmp_path / "empty.json")
    assert not (tmp_path / "x").exists()
    for inside in (out / "final/ridge", out / "final/ridge/north"):
        assert "expected a folder outside that of the model" in calibrate(inside)
    calibrate("ten", "--people", 10, "--learned", out / "aggregate/calibration.json")
    message = calibrate("y", "--learned", out / "aggregate/calibration.json", model=tmp_path / "ten")
    assert "expected it not given" in message
    content = json.loads((tmp_path / "ten/calibration.json").read_text())
    content["learned"]["spread"]["offset"] = "wide"
    (tmp_path / "ten/calibration.json").write_text(json.dumps(content))
    assert "calibration.json: learned.spread.offset" in calibrate("y", model=tmp_path / "ten")


def test_nobody_stands_in_the_folder(calibrate, tmp_path):
    calibrate("ten", "--people", 10)
    text = (tmp_path / "ten/calibration.json").read_text()
    assert "sub-" not in text
    assert sorted(path.name for path in (tmp_path / "ten").iterdir()) == [
        "calibration.json", "model.joblib", "provenance.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("model",), "pidreg", "model: expected 'ridge', which the folder has, found 'pidreg'"),
        (("sites", "north", "people"), -3, "sites.north.people"),
        (("sites", "north", "zz"), [[1.0, 5.0], [5.0, 1.0]], "sites.north: zz: expected sums of squares"),
        (("learned", "spread", "coverage"), -0.9, "learned.spread.coverage"),
        (("learned", "spread", "scatter"), 0.0, "learned.spread.scatter"),
        (("learned", "expected"), [], "learned.expected"),
    ],
)
def test_an_edited_calibration_is_refused_and_predicts_nobody(calibrate, predict, tmp_path, place, value, words):
    calibrate("ten", "--people", 10)
    path = tmp_path / "ten/calibration.json"
    content = json.loads(path.read_text())
    part = content
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    path.write_text(json.dumps(content))
    message = predict(model=tmp_path / "ten")
    assert words in message
    assert "ten/calibration.json" in message
    assert not (tmp_path / "p.tsv").exists()


def test_targets_in_other_units_calibrate_nothing(study, calibrate, tmp_path):
    months = make_config(study[0], ["new"], study[1], target={"units": "months", "range": [0, 1500]})
    message = calibrate("x", "--config", write_config(tmp_path / "months.yaml", months))
    assert "months.yaml: target.units: expected years, in which the model was trained, found months" in message


def test_a_site_that_is_harmonised_by_its_own_people_is_said(study, calibrate, tmp_path, caplog):
    folder, out = study
    tables = {m: pd.read_csv(folder / f"a/{m}.tsv", sep="\t").drop(columns="participant_id") for m in ("t1", "dwi")}
    people = pd.read_csv(folder / "a/participants.tsv", sep="\t")
    shutil.copytree(out / "final/ridge", tmp_path / "own")
    Harmoniser.fit(Harmonise(method="location", unseen="own"), tables, people).save(tmp_path / "own")
    told = calibrate("ten", "--people", 10, "--learned", out / "aggregate/calibration.json", model=tmp_path / "own")
    assert told["sites"]["north"]["people"] == 10
    assert "the correction holds for predictions that are made with these people among them" in caplog.text


def test_a_model_that_does_not_say_which_it_is_cannot_be_calibrated(study, calibrate, tmp_path):
    shutil.copytree(study[1] / "final/ridge", tmp_path / "nameless")
    (tmp_path / "nameless/provenance.json").unlink()
    message = calibrate("x", "--people", 5, model=tmp_path / "nameless")
    assert "nameless/provenance.json: expected the name of the model, found none" in message
