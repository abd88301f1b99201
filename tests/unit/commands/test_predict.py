"""`brainpid predict`: new people by the names of features, from any subset of the modalities."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config

from brainpid.cli import main
from brainpid.config.schema import load_config
from brainpid.config.slices import ExtractSettings, ParticipantsSettings, SplitSettings, TrainSettings
from brainpid.features.new_people import of_tables
from brainpid.model import PIDReg
from brainpid.model.baselines.linear import Ridge

UNITS = {f"t1_{k}": {"Units": "mm^3" if k < 3 else "mm"} for k in range(5)}


def run_verb(verb, settings, *options):
    assert main([verb, "--settings", settings.model_dump_json(), *map(str, options)]) == 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A cohort whose T1 volumes are divided by head size, and the final ridge model of it."""
    folder = tmp_path_factory.mktemp("trained")
    tables = make_tables(80)
    for k in range(3):
        tables["t1"][f"t1_{k}"] *= tables["participants"]["icv_mm3"]
    write_cohort(folder / "a", tables)
    (folder / "a/t1.json").write_text(json.dumps(UNITS))
    (folder / "a/participants.json").write_text(json.dumps({"icv_mm3": {"Units": "mm^3"}}))
    content = make_config(folder, ["a"], folder / "out")
    content["cohorts"]["a"]["sources"]["t1"]["divide_by"] = "icv_mm3"
    path = write_config(folder / "c.yaml", content)
    config, out = load_config(path), folder / "out"
    sheet = out / "participants/a.tsv"
    run_verb("participants", ParticipantsSettings.of(config, "a"), "--cohort", "a", "--out", sheet)
    for m in ("t1", "dwi"):
        source = ExtractSettings.of(config, "a", m)
        run_verb("extract", source, "--cohort", "a", "--modality", m, "--participants", sheet, "--out", out / f"{m}.h5")
    parts = ["--parts", out / "t1.h5", out / "dwi.h5"]
    features = out / "features/a.h5"
    collect = ["collect", "--cohort", "a", "--participants", sheet, *parts, "--out", features]
    assert main(list(map(str, collect))) == 0
    people, splits = out / "participants.tsv", out / "splits.tsv"
    run_verb(
        "split", SplitSettings.of(config), "--participants", sheet, "--features", features,
        "--out-participants", people, "--out-splits", splits, "--out-features", out / "features.tsv",
    )  # fmt: skip
    training = ["--model", "ridge", "--participants", people, "--features", features, "--chosen", out / "features.tsv"]
    settings = TrainSettings.of(config, "ridge")
    run_verb("final", settings, *training, "--out", out / "final/ridge")
    fold = ["--repeat", "0", "--fold", "1", "--splits", splits]
    run_verb("train", settings, *training, *fold, "--out", out / "folds/ridge/repeat-0_fold-1")
    return folder, tables


@pytest.fixture
def predict(trained, tmp_path, capsys):
    """Predict tables of new people; the table, or the message where the exit code is 2."""
    folder, _ = trained

    def run(tables=None, model=folder / "out/final/ridge", options=(), out="predictions.tsv"):
        pairs = []
        for modality, table in (tables or {}).items():
            path = tmp_path / f"{modality}.tsv"
            table.to_csv(path, sep="\t", index=False, na_rep="n/a")
            pairs.append(f"{modality}={path}")
        given = ["--tables", *pairs] if pairs else []
        out = tmp_path / out
        code = main(["predict", "--model", str(model), *given, *map(str, options), "--out", str(out)])
        if code:
            assert code == 2
            return " ".join(capsys.readouterr().err.split())
        return pd.read_csv(out, sep="," if out.suffix == ".csv" else "\t")

    return run


def new_tables(trained, people=slice(0, 20)):
    """Tables of some of the cohort's people, T1 with the head size that the model divides by."""
    _, tables = trained
    t1 = tables["t1"].assign(icv_mm3=tables["participants"]["icv_mm3"])
    return {"t1": t1.iloc[people], "dwi": tables["dwi"].iloc[people]}


def test_the_held_out_people_of_a_fold_get_the_predictions_of_the_fold(trained, predict):
    folder, _ = trained
    fold = folder / "out/folds/ridge/repeat-0_fold-1"
    known = pd.read_csv(fold / "predictions.tsv", sep="\t").set_index("participant_id")
    found = predict(new_tables(trained, slice(None)), fold).set_index("participant_id").loc[known.index]
    for column in ("predicted_age", "predicted_age_corrected", "pi_low", "pi_high"):
        # The store keeps features in single precision.
        np.testing.assert_allclose(found[column], known[column], rtol=1e-5)
    assert found["modalities"].eq("t1+dwi").all()
    assert found[["gain_t1", "gain_dwi", "reason"]].isna().all(axis=None)


def test_tables_and_configuration_agree(trained, predict):
    folder, tables = trained
    write_cohort(folder / "new", tables | {"participants": tables["participants"].drop(columns="age")})
    for name in ("t1.json", "participants.json"):
        shutil.copy(folder / "a" / name, folder / "new" / name)
    content = make_config(folder, ["a", "new"], folder / "out")
    for block in content["cohorts"].values():
        block["sources"]["t1"]["divide_by"] = "icv_mm3"
    path = write_config(folder / "new.yaml", content)
    of_config = predict(options=["--config", path, "--cohorts", "new"])
    assert of_config["cohort"].eq("new").all()
    pd.testing.assert_frame_equal(of_config.drop(columns="cohort"), predict(new_tables(trained, slice(None))))
    assert "there is no cohort 'knew'; did you mean 'new'?" in predict(options=["--config", path, "--cohorts", "knew"])


def test_columns_are_found_by_name(trained, predict, caplog):
    tables = new_tables(trained)
    expected = predict(tables)
    turned = {m: table[["participant_id", *table.columns[:0:-1]]].iloc[::-1] for m, table in tables.items()}
    turned["dwi"] = turned["dwi"].assign(scanner="big")
    caplog.set_level("INFO")
    found = predict(turned).set_index("participant_id").loc[expected["participant_id"]].reset_index()
    pd.testing.assert_frame_equal(found, expected)
    assert "1 columns are no features of the model and are ignored: scanner" in caplog.text


def test_a_missing_column_is_an_error_that_names_it_and_the_file(trained, predict, tmp_path):
    tables = new_tables(trained)
    tables["dwi"] = tables["dwi"].drop(columns=["dwi_1", "dwi_3"])
    message = predict(tables)
    assert f"{tmp_path}/dwi.tsv: 2 of the 4 features of dwi" in message
    assert "dwi_1, dwi_3" in message
    tables["dwi"] = new_tables(trained)["dwi"].rename(columns={"dwi_1": "dwi1"})
    assert "did you mean 'dwi1'?" in predict(tables)


def test_people_are_predicted_from_what_they_have(trained, predict):
    tables = new_tables(trained)
    both = predict(tables).set_index("participant_id")
    labels = tables["t1"]["participant_id"].tolist()
    tables["t1"] = tables["t1"].iloc[1:]  # the first person lacks it
    tables["dwi"] = tables["dwi"].copy()
    tables["dwi"].iloc[[1, 2], 1:] = np.nan  # the second has one modality, the third none
    tables["t1"].iloc[1, 1:] = np.nan
    found = predict(tables).set_index("participant_id")
    assert found.loc[labels[:4], "modalities"].fillna("").tolist() == ["dwi", "t1", "", "t1+dwi"]
    numbers = ["predicted_age", "predicted_age_corrected", "pi_low", "pi_high"]
    assert found.loc[labels[2], [*numbers, "gain_t1", "gain_dwi"]].isna().all()
    reason = found.loc[labels[2], "reason"]
    assert reason.startswith("t1: no value in ")
    assert "; dwi: no value in " in reason
    pd.testing.assert_frame_equal(found.loc[labels[3:], numbers], both.loc[labels[3:], numbers])
    # What T1 would narrow the first person's interval by is the difference of widths at the same prediction.
    width = found["pi_high"] - found["pi_low"]
    assert 0 < found.loc[labels[0], "gain_t1"] < width[labels[0]]
    assert np.isnan(found.loc[labels[0], "gain_dwi"])
    assert np.isfinite(found.loc[labels[1], "gain_dwi"])
    assert found["reason"].isna().sum() == len(found) - 1
    alone = predict({"dwi": tables["dwi"]}).set_index("participant_id")
    pd.testing.assert_frame_equal(alone.loc[labels[:1], numbers], found.loc[labels[:1], numbers])


def test_tables_in_another_unit_are_pointed_out(trained, predict, caplog):
    tables = new_tables(trained)
    predict(tables)
    assert "are the units" not in caplog.text
    predict(tables | {"dwi": tables["dwi"].set_index("participant_id").mul(1000).reset_index()})
    assert "dwi: 100% of the features lie farther" in caplog.text


def test_people_whose_features_fit_no_age_are_named(trained, predict, tmp_path, caplog):
    people = make_tables(200, seed=3)
    X = {m: people[m].drop(columns="participant_id") for m in ("t1", "dwi")}
    model = PIDReg(members=2, epochs=1, experts=(), recipe="compact").fit(X, people["participants"]["age"])
    model.save(tmp_path / "model")
    new = make_tables(40, seed=4)
    new = {m: new[m] for m in ("t1", "dwi")}
    new["t1"].iloc[[7, 9], 1:] = [9.0, -9, 9, -9, 9]
    found = predict(new, tmp_path / "model")
    assert (found.loc[[7, 9], "atypicality"] > 0.99).all()
    assert (found["atypicality"] > 0.95).sum() < 8
    assert re.search(r"\d of 40 people have features that are unusual for any age .*sub-007", caplog.text)
    assert predict(new_tables(trained))["atypicality"].isna().all()  # ridge does not tell it


@pytest.mark.parametrize("coverage", ["0", "1", "-0.5", "nan"])
def test_a_coverage_that_is_none_is_refused(trained, predict, coverage):
    message = predict(new_tables(trained), options=[f"--coverage={coverage}"])
    assert "--coverage: expected a number between 0 and 1" in message


def test_what_is_not_a_model_or_has_no_names(trained, predict, tmp_path):
    tables = new_tables(trained)
    assert "expected a saved model, model.joblib, model.pt" in predict(tables, tmp_path)
    people = make_tables(60)
    X = {m: people[m].drop(columns="participant_id") for m in ("t1", "dwi")}
    network = PIDReg(members=2, epochs=1, experts=(), recipe="compact")
    network.fit({m: table.to_numpy() for m, table in X.items()}, people["participants"]["age"]).save(tmp_path / "bare")
    assert "does not know the names of its features of t1, dwi" in predict(tables, tmp_path / "bare")
    network.fit(X, people["participants"]["age"]).save(tmp_path / "named")
    plain = {m: people[m] for m in ("t1", "dwi")}
    found = predict(plain, tmp_path / "named")
    np.testing.assert_allclose(found["predicted_age"], network.predict(X), rtol=1e-6)
    assert found["predicted_age_corrected"].isna().all()  # a model that was saved in Python has no line of bias
    assert "the model has no modality 't2'; valid names: dwi, t1" in predict({"t2": people["t1"]}, tmp_path / "named")


def test_the_model_s_folder_says_how_its_features_were_made(trained):
    folder, _ = trained
    provenance = json.loads((folder / "out/final/ridge/provenance.json").read_text())
    assert provenance["divided"] == {"t1": {"by": "icv_mm3", "except": ["t1_3", "t1_4"]}}
    assert provenance["n_train"] == 80


def test_codes_for_no_value_are_said_of_new_people(tmp_path, caplog):
    table = make_tables(3)["dwi"]
    table.loc[[0, 2], "dwi_1"] = -9999
    table.to_csv(tmp_path / "dwi.tsv", sep="\t", index=False)
    of_tables({"dwi": tmp_path / "dwi.tsv"}, {"dwi": list(table.columns[1:])}, {})
    assert "dwi.tsv: column 'dwi_1': -9999 stands in 2 of 3 people, first sub-000" in caplog.text


def test_labels_that_differ_between_tables_are_pointed_out(trained, predict, caplog):
    tables = new_tables(trained)
    predict(tables)
    assert "in common" not in caplog.text
    assert "in several ways" not in caplog.text
    labels = tables["dwi"]["participant_id"]
    bare = labels.where(np.arange(20) >= 5, labels.str.removeprefix("sub-").astype(int).astype(str) + ".0")
    assert len(predict(tables | {"dwi": tables["dwi"].assign(participant_id=bare)})) == 25
    assert "no participant_id in common" not in caplog.text
    assert "5 label(s) are written in several ways" in caplog.text


@pytest.mark.parametrize(
    ("one", "other"),
    [("001", "1"), ("sub-001", "1"), ("sub-CC001", "cc001"), ("sub-A-01", "a_1"), ("12", "12.0"), ("S01", "s1")],
)
def test_labels_that_look_like_one_person(trained, predict, caplog, one, other):
    t1, dwi = (table.iloc[:1].assign(participant_id=label) for table, label in zip(
        new_tables(trained).values(), (one, other), strict=True))  # fmt: skip
    assert len(predict({"t1": t1, "dwi": dwi})) == 2
    assert "no participant_id in common" in caplog.text
    assert "1 label(s) are written in several ways" in caplog.text


def test_labels_of_different_people_do_not_look_alike(trained, predict, caplog):
    t1, dwi = new_tables(trained).values()
    labels = ["1", "10", "100", "a1", "b1", "1-0", "11"]
    predict({"t1": t1.iloc[:7].assign(participant_id=labels), "dwi": dwi.iloc[:7].assign(participant_id=labels)})
    assert "written in several ways" not in caplog.text


def test_a_table_ends_as_its_name_says(trained, predict):
    tables = new_tables(trained)
    pd.testing.assert_frame_equal(predict(tables, out="p.csv"), predict(tables))
    assert "ending .tsv or .csv, found '.txt'" in predict(tables, out="p.txt")


def test_a_place_that_cannot_be_written_is_refused_before_any_work(trained, predict, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.tsv").mkdir()
    assert f"found that {tmp_path}/file is a file" in predict(new_tables(trained), tmp_path, out="file/p.tsv")
    assert "expected a file, found a folder" in predict(new_tables(trained), tmp_path / "none", out="folder.tsv")


def test_values_that_are_clipped_are_said_of_their_people_alone(trained, predict, caplog):
    tables = new_tables(trained)
    assert predict(tables)["reason"].isna().all()
    tables["dwi"] = tables["dwi"].copy()
    tables["dwi"].iloc[3, 1:3] = [-9999, 99]
    found = predict(tables)
    assert found["reason"].notna().tolist() == [row == 3 for row in range(20)]
    reason = found["reason"][3]
    assert reason.startswith("dwi: 2 of 4 features lie more than 5 standard deviations")
    assert "dwi_0 = -9999 (" in reason
    assert "dwi_1 = 99 (" in reason
    assert f"1 of 20 people have features so far from the training people that they are clipped (column reason): " \
        f"{tables['dwi']['participant_id'].iloc[3]}; are they measured" in caplog.text  # fmt: skip
    assert np.isfinite(found["predicted_age"][3])


def test_a_configuration_of_one_modality_is_enough(trained, predict):
    folder, tables = trained
    content = make_config(folder, ["a"], folder / "out")
    content["modalities"] = ["dwi"]
    content["splits"] = {"scheme": "leave_one_cohort_out"}
    content["cohorts"]["a"]["sources"] = {"dwi": content["cohorts"]["a"]["sources"]["dwi"]}
    path = write_config(folder / "dwi.yaml", content)
    found = predict(options=["--config", path])
    assert found["modalities"].eq("dwi").all()
    expected = predict({"dwi": tables["dwi"]})
    np.testing.assert_allclose(found["predicted_age"], expected["predicted_age"])
    assert "a cohort is given twice" in predict(options=["--config", path, "--cohorts", "a", "a"])
    content["modalities"] = []
    assert "modalities" in predict(options=["--config", write_config(folder / "none.yaml", content)])


def test_cohorts_are_of_a_configuration(trained, predict):
    assert "--cohorts: expected with --config" in predict(new_tables(trained), options=["--cohorts", "a"])


@pytest.mark.parametrize("part", [0.0, 0.2, 0.7, 0.99])
def test_a_model_that_was_cut_off_is_named(trained, predict, tmp_path, part):
    folder, _ = trained
    (tmp_path / "half").mkdir()
    whole = (folder / "out/final/ridge/model.joblib").read_bytes()
    (tmp_path / "half/model.joblib").write_bytes(whole[: int(part * len(whole))])
    shutil.copy(folder / "out/final/ridge/provenance.json", tmp_path / "half")
    assert f"{tmp_path}/half/model.joblib: expected a saved Ridge" in predict(new_tables(trained), tmp_path / "half")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda held: [held], "expected a mapping, found list"),
        (lambda held: held | {"model": "ridgee"}, "model: did you mean 'ridge'?"),
        (lambda held: held | {"model": ["ridge"]}, "model: "),
        (lambda held: held | {"age_bias": {"t1": {"slope": 1}}}, "age_bias: expected intercept and slope"),
        (lambda held: held | {"age_bias_new_sites": [1]}, "age_bias_new_sites: expected intercept and slope"),
        (lambda held: held | {"settings": {"interval_coverage": "x"}}, "settings.interval_coverage: expected a number"),
        (lambda held: held | {"divided": {"t1": {"by": "icv_mm3"}}}, "divided: expected by and except"),
    ],
)
def test_a_provenance_that_was_damaged_is_named(trained, predict, tmp_path, change, message):
    folder, _ = trained
    copy = tmp_path / "model"
    shutil.copytree(folder / "out/final/ridge", copy)
    held = json.loads((copy / "provenance.json").read_text())
    (copy / "provenance.json").write_text(json.dumps(change(held)))
    found = predict(new_tables(trained), copy)
    assert f"{copy}/provenance.json: " in found
    assert message in found


def test_people_of_sites_that_training_has_not_seen_are_counted_once_and_marked(trained, predict, tmp_path, caplog):
    folder, tables = trained
    people = tables["participants"].assign(site=["one"] * 70 + ["far"] * 6 + [None] * 4)
    write_cohort(folder / "sites", tables | {"participants": people.drop(columns="age")})
    path = write_config(folder / "sites.yaml", make_config(folder, ["sites"], folder / "out"))
    X = {m: tables[m].drop(columns="participant_id") for m in ("t1", "dwi")}
    model = Ridge().fit(X, tables["participants"]["age"], sites=["one", "two"] * 40)
    model.save(tmp_path / "model")
    found = predict(model=tmp_path / "model", options=["--config", path])
    # Who has no site is of the cohort's name, as in a run.
    assert found["site_seen"].tolist() == ["yes"] * 70 + ["no"] * 10
    words = "10 of 80 people are of sites that training has not seen: far, sites"
    assert caplog.text.count(words) == 1
    assert "their intervals too narrow: these need training at 3 sites or more" in caplog.text
    assert found["pi_width_known_site"].isna().all()
    Ridge().fit(X, tables["participants"]["age"], sites=["one", "two", "three", "four"] * 20).save(tmp_path / "four")
    elsewhere = predict(model=tmp_path / "four", options=["--config", path])
    assert "their intervals are wider, as training sites that were left out have shown" in caplog.text
    assert elsewhere["pi_width_known_site"].notna().tolist() == [False] * 70 + [True] * 10
    lines = {"age_bias": {"t1+dwi": {"intercept": 10, "slope": 0.8}}}
    lines |= {"age_bias_new_sites": {"t1+dwi": {"intercept": 20, "slope": 0.5}}}
    (tmp_path / "four/provenance.json").write_text(json.dumps(lines))
    corrected = predict(model=tmp_path / "four", options=["--config", path])
    expected = np.r_[(elsewhere["predicted_age"][:70] - 10) / 0.8, (elsewhere["predicted_age"][70:] - 20) / 0.5]
    np.testing.assert_allclose(corrected["predicted_age_corrected"], expected)
    caplog.clear()
    found = predict({m: tables[m] for m in ("t1", "dwi")}, tmp_path / "model")
    assert found["site_seen"].isna().all()
    assert "training has not seen" not in caplog.text
    assert caplog.text.count("read as of one of the training (one, two), and their intervals are too narrow") == 1
    caplog.clear()
    named = predict({m: tables[m] for m in ("t1", "dwi")}, tmp_path / "model", ["--site", "two"])
    assert named["site_seen"].eq("yes").all()
    assert "do not say of which site" not in caplog.text
