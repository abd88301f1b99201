"""`brainpid init` writes a configuration that loads and that `brainpid check` passes, of whatever a folder holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from cohorts import ROOT, make_tables, touch, write_cohort
from freesurfer_files import freesurfer

from brainpid.cli import main
from brainpid.config.schema import load_config

RAW = ("anat/{p}_T1w.nii.gz", "dwi/{p}_dwi.nii.gz", "dwi/{p}_dwi.bval", "dwi/{p}_dwi.bvec")
BOLD = (
    "func/{p}_task-rest_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz",
    "func/{p}_task-rest_desc-confounds_timeseries.tsv",
)
MAPS = ("dwi/{p}_space-MNI152NLin2009cAsym_model-tensor_param-fa_dwimap.nii.gz",)


@pytest.fixture
def init(tmp_path, monkeypatch, capsys):
    """Run `brainpid init` in an empty folder; return code, what is said, and the configuration."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("COLUMNS", "300")

    def run(*options):
        code = main(["init", *map(str, options)])
        said = capsys.readouterr()
        return code, said.out, " ".join(said.err.split())

    return run


def checked(name, capsys):
    """Load a configuration and check it."""
    config = load_config(name)
    code = main(["check", "--config", name])
    said = capsys.readouterr()
    assert code == 0, said.err
    return config


def people(folder, n=30, first=1, ages=None, column="age", more=None):
    """Write a participants table, and give the labels."""
    labels = [f"sub-{k:03d}" for k in range(first, first + n)]
    table = pd.DataFrame({"participant_id": labels, column: ages or [20 + k for k in range(n)], **(more or {})})
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "participants.tsv", sep="\t", index=False)
    return labels


def files(folder, labels, names, session=""):
    """Empty files of everybody; those with a session stand in its folder and have it in their names."""
    for person in labels:
        visit = f"{person}/ses-{session}" if session else person
        stem = f"{person}_ses-{session}" if session else person
        touch(folder, *(f"{visit}/{name.format(p=stem)}" for name in names))


def phantom(folder, n=30):
    """One site of the phantom: raw T1w and dwi, and BOLD of fMRIPrep."""
    labels = people(folder, n)
    files(folder, labels, RAW)
    files(folder / "derivatives/fmriprep", labels[:-2], BOLD)
    return labels


def test_a_raw_dataset_with_its_derivatives(init, tmp_path, capsys):
    phantom(tmp_path / "my-site")
    code, out, err = init(tmp_path / "my-site")
    assert (code, err) == (0, "")
    assert "brainpid check --config my-site.yaml\n  brainpid run my-site.yaml\n" in out
    assert "results/my-site/report.html" in out
    assert "28 of 30" in out
    config = checked("my-site.yaml", capsys)
    assert config.modalities == ("t1", "dwi", "fmri")
    block = config.cohorts["my_site"]
    assert block.bids == "../my-site"
    assert {name: source.kind for name, source in block.sources.items()} == {
        "t1": "nifti",
        "dwi": "nifti",
        "fmri": "fmriprep",
    }
    assert block.sources["fmri"].path == "../my-site/derivatives/fmriprep"


def test_the_derivatives_alone_take_the_people_of_the_dataset_above(init, tmp_path, capsys):
    labels = people(tmp_path / "study")
    files(tmp_path / "study/derivatives/fmriprep", labels, BOLD)
    files(tmp_path / "study/derivatives/qsirecon/derivatives/qsirecon-DSIStudio", labels, MAPS)
    for person in labels[:29]:
        freesurfer(tmp_path / "study/derivatives/fmriprep/sourcedata/freesurfer", label=person)
    code, _, err = init(tmp_path / "study/derivatives")
    assert (code, err) == (0, "")
    config = checked("derivatives.yaml", capsys)
    sources = config.cohorts["study"].sources
    assert {name: source.kind for name, source in sources.items()} == {
        "t1": "freesurfer",
        "dwi": "qsirecon",
        "fmri": "fmriprep",
    }
    assert sources["dwi"].diffusivity_unit == "um^2/ms"
    assert "# 29 of 30 people" in Path("derivatives.yaml").read_text()


def test_derivatives_without_people_need_their_table(init, tmp_path, capsys):
    labels = people(tmp_path / "elsewhere")
    files(tmp_path / "a/b/c/d/fmriprep", labels, BOLD)
    files(tmp_path / "a/b/c/d/qsirecon", labels, MAPS)
    code, _, err = init(tmp_path / "a/b/c/d")
    assert code == 2
    assert "found no table of people, with participant_id and age" in err
    assert "there is fmriprep, qsirecon" in err
    code, _, err = init(tmp_path / "a/b/c/d", "--participants", tmp_path / "elsewhere/participants.tsv")
    assert (code, err) == (0, "")
    assert checked("d.yaml", capsys).cohorts["d"].participants == "../elsewhere/participants.tsv"


def test_tables_alone_under_the_names_of_their_files(init, tmp_path, capsys):
    tables = make_tables()
    tables["t1"] = tables["t1"].assign(age=tables["participants"]["age"], scanner="A")
    tables["no-ids"] = tables["dwi"].drop(columns="participant_id")
    tables["strangers"] = tables["dwi"].replace({"sub-000": "sub-xyz"})
    tables["white-matter.v2"] = tables.pop("dwi")
    tables["motion"] = tables["t1"]
    write_cohort(tmp_path / "export", tables)
    code, _, err = init(tmp_path / "export")
    assert (code, err) == (0, "")
    config = checked("export.yaml", capsys)
    assert config.modalities == ("t1", "white_matter_v2")
    # The target among the features would be told from itself.
    assert config.cohorts["export"].sources["t1"].drop == ("age", "scanner")
    text = Path("export.yaml").read_text()
    assert "not used: ../export/no-ids.tsv: it has no column participant_id" in text
    assert "1 of 60 labels are not in the participants table" in " ".join(text.replace("#", "").split())
    assert "not used: ../export/motion.tsv: by its name it tells of image quality" in text
    assert "`divide_by: icv_mm3`" in text


def test_sessions_runs_acquisitions_tasks_and_templates_are_choices(init, tmp_path, capsys):
    root = tmp_path / "ds"
    labels = people(root)
    files(root, labels, ("anat/{p}_acq-a_T1w.nii.gz", "anat/{p}_acq-b_T1w.nii.gz", *RAW[1:]), "1")
    files(root, labels[:20], ("anat/{p}_acq-a_T1w.nii.gz",), "2")
    names = [name.replace("rest", "nback_run-1") for name in BOLD] + [
        name.replace("rest", "nback_run-2") for name in BOLD
    ]
    names += [BOLD[0].replace("rest", "movie").replace("2009cAsym", "6Asym")]
    files(root / "derivatives/fmriprep", labels, names, "1")
    assert init(root)[0] == 0
    config = checked("ds.yaml", capsys)
    fmri = config.cohorts["ds"].sources["fmri"]
    assert (fmri.task, fmri.space) == ("nback", "MNI152NLin2009cAsym")
    text = Path("ds.yaml").read_text()
    for comment in (
        "# sessions: 1 (30), 2 (20); each person's first is taken, `session: '1'` takes one for all",
        "# acq: a (50), b (30); `entities: {acq: a}` takes one",
        "# run: 1 (30), 2 (30); `entities: {run: 1}` takes one",
        "# other templates: MNI152NLin6Asym (30); chosen by `space:`",
    ):
        assert comment in text
    # What a comment offers is a key of the source.
    offered = text.replace(
        "        kind: nifti\n", "        kind: nifti\n        session: '1'\n        entities: {acq: a}\n", 1
    )
    Path("edited.yaml").write_text(offered)
    assert checked("edited.yaml", capsys).cohorts["ds"].sources["t1"].entities == {"acq": ("a",)}


def test_cohorts_side_by_side_take_one_kind_of_each_modality(init, tmp_path, capsys):
    first = phantom(tmp_path / "all/site-01")
    phantom(tmp_path / "all/site-02", 20)
    write_cohort(tmp_path / "all/site.02", {"participants": make_tables()["participants"]})
    for person in first:
        freesurfer(tmp_path / "all/site-01/derivatives/freesurfer", label=person)
    assert init(tmp_path / "all", "--out", "two.yaml")[0] == 0
    config = checked("two.yaml", capsys)
    # FreeSurfer has 30 of the 50 people, and raw images are there for all.
    assert {name: block.sources["t1"].kind for name, block in config.cohorts.items()} == {
        "site_01": "nifti",
        "site_02": "nifti",
    }
    text = Path("two.yaml").read_text()
    assert (
        "# instead, for 30 of 30 people:\n      # t1: {kind: freesurfer, path: ../all/site-01/derivatives/freesurfer}"
        in text
    )
    (reference,) = re.findall(r"^# (reference_ages: .*)$", text, flags=re.MULTILINE)
    low, high = yaml.safe_load(reference)["reference_ages"]["range"]
    assert 0 < low < high < 120
    assert "`scheme: [kfold, leave_one_cohort_out]`" in text
    assert "leave_one_site_out" in text


def test_nuisance_that_all_cohorts_know_is_offered_as_controls(init, tmp_path, capsys):
    more = {"gender": ["F", "M"] * 15, "eTIV": [1400.0 + k for k in range(30)], "motion": 0.1, "received_on": 3}
    for name in ("one", "two"):
        labels = people(tmp_path / "all" / name, more=more)
        files(tmp_path / "all" / name, labels, RAW)
        files(tmp_path / "all" / name / "derivatives/fmriprep", labels, BOLD)
    assert init(tmp_path / "all", "--out", "two.yaml")[0] == 0
    text = Path("two.yaml").read_text()
    (line,) = re.findall(r"^# (controls: .*)$", text, flags=re.MULTILINE)
    assert yaml.safe_load(line) == {"controls": ["sex", "eTIV", {"quality": "fmri", "columns": ["fd_mean_mm"]}]}
    Path("two.yaml").write_text(text.replace(f"# {line}", line))
    assert checked("two.yaml", capsys).controls[:2] == ("sex", "eTIV")


def test_no_controls_are_offered_that_a_cohort_lacks(init, tmp_path, capsys):
    for name, more in (("one", {"eTIV": [1400.0 + k for k in range(30)]}), ("two", {})):
        labels = people(tmp_path / "all" / name, more=more)
        files(tmp_path / "all" / name, labels, RAW)
    assert init(tmp_path / "all", "--out", "two.yaml")[0] == 0
    assert "controls" not in Path("two.yaml").read_text()


def test_a_table_of_everybody_above_datasets_makes_no_cohort_of_its_own(init, tmp_path, capsys):
    for k, site in enumerate(("a", "b")):
        labels = people(tmp_path / f"all/{site}", first=1 + 30 * k)
        files(tmp_path / f"all/{site}", labels, RAW)
    people(tmp_path / "all", 60)
    assert init(tmp_path / "all")[0] == 0
    assert list(checked("all.yaml", capsys).cohorts) == ["a", "b"]


def test_derivatives_of_all_beside_the_cohorts(init, tmp_path, capsys):
    for k, site in enumerate(("a", "b")):
        labels = people(tmp_path / f"all/{site}", first=1 + 30 * k)
        files(tmp_path / f"all/{site}", labels, RAW)
        files(tmp_path / "all/derivatives/fmriprep", labels, BOLD)
    assert init(tmp_path / "all")[0] == 0
    config = checked("all.yaml", capsys)
    assert [block.sources["fmri"].path for block in config.cohorts.values()] == ["../all/derivatives/fmriprep"] * 2


def test_people_in_a_folder_beside_their_data(init, tmp_path, capsys):
    labels = people(tmp_path / "study/tables")
    files(tmp_path / "study/fmriprep", labels, BOLD)
    files(tmp_path / "study/maps", labels, MAPS)
    assert init(tmp_path / "study")[0] == 0
    config = checked("study.yaml", capsys)
    assert config.modalities == ("dwi", "fmri")
    assert config.cohorts["study"].participants == "../study/tables/participants.tsv"


def test_tables_of_other_features_than_the_largest_are_left_out(init, tmp_path, capsys):
    for k, n in enumerate((60, 40, 30)):
        tables = make_tables(n, seed=k)
        if n == 40:
            tables["t1"] = tables["t1"].rename(columns=lambda name: name.replace("t1_", "left_"))
        write_cohort(tmp_path / f"all/c{n}", tables)
    assert init(tmp_path / "all")[0] == 0
    config = checked("all.yaml", capsys)
    assert {name: sorted(block.sources) for name, block in config.cohorts.items()} == {
        "c30": ["dwi", "t1"],
        "c40": ["dwi"],
        "c60": ["dwi", "t1"],
    }
    assert "not used: ../all/c40/t1.tsv: it has no feature in common with t1 of cohort 'c60'" in " ".join(
        Path("all.yaml").read_text().replace("\n      #", "").split()
    )


def test_what_few_people_have_is_left_out(init, tmp_path, capsys):
    tables = make_tables()
    tables["pet"] = tables["t1"].iloc[:5]
    write_cohort(tmp_path / "x", tables)
    (tmp_path / "x/again").symlink_to(tmp_path / "x")
    assert init(tmp_path / "x")[0] == 0
    assert checked("x.yaml", capsys).modalities == ("t1", "dwi")
    assert "# not used: ../x/pet.tsv: 5 people have it, and few would have every modality" in Path("x.yaml").read_text()


def test_few_people_are_trained_on_without_the_networks(init, tmp_path, capsys):
    phantom(tmp_path / "x", 24)
    assert init(tmp_path / "x")[0] == 0
    assert checked("x.yaml", capsys).models == ("ridge", "gradient_boosting")
    assert "# `pidreg` is left out: it needs 20 people with every modality in training." in Path("x.yaml").read_text()


def test_an_age_that_is_capped_can_be_given(init, tmp_path, capsys):
    tables = make_tables()
    tables["participants"]["age"] = tables["participants"]["age"].astype(object)
    tables["participants"].loc[3, "age"] = "89+"
    write_cohort(tmp_path / "x", tables)
    assert init(tmp_path / "x")[0] == 0
    text = Path("x.yaml").read_text()
    assert "1 without an age, as '89+' is no number in years; `replace: {89+: 89}` under `target:` gives one" in text
    Path("y.yaml").write_text(text.replace("range: [0, 120]", "range: [0, 120], replace: {89+: 89}"))
    assert checked("y.yaml", capsys).target.replace == {"89+": 89}


def test_columns_of_other_names_and_other_units(init, tmp_path, capsys):
    root = tmp_path / "kids"
    tables = make_tables()
    sheet = tables["participants"]
    sheet["Age_at_Scan"] = (12 * sheet["age"]).round()
    sheet["family_id"] = range(60)
    tables["participants"] = sheet.drop(columns="age").rename(columns={"participant_id": "Subject", "sex": "Gender"})
    write_cohort(root, tables)
    (root / "participants.tsv").rename(root / "demographics.tsv")
    assert init(root)[0] == 0
    config = checked("kids.yaml", capsys)
    columns = config.cohorts["kids"].columns
    assert (columns.participant_id, columns.target, columns.sex) == ("Subject", "Age_at_Scan", "Gender")
    assert (config.target.units, config.target.range) == ("months", (0, 1440))
    text = Path("kids.yaml").read_text()
    assert "# ages are taken to be in months: they are too large for years" in text
    assert "'family_id' may keep relatives on one side of every split, by `splits: {group: ...}`" in text


def test_the_dictionary_says_the_unit_of_ages(init, tmp_path, capsys):
    tables = make_tables()
    write_cohort(tmp_path / "babies", tables)
    (tmp_path / "babies/participants.json").write_text(json.dumps({"age": {"Units": "mo"}}))
    assert init(tmp_path / "babies")[0] == 0
    assert checked("babies.yaml", capsys).target.units == "months"


def test_a_file_is_not_written_over_without_force(init, tmp_path):
    phantom(tmp_path / "x")
    (tmp_path / "here/x.yaml").write_text("mine")
    code, _, err = init(tmp_path / "x")
    assert code == 2
    assert err.startswith("error: x.yaml: the file is there already; --force writes over it")
    assert Path("x.yaml").read_text() == "mine"
    assert init(tmp_path / "x", "--force")[0] == 0
    assert yaml.safe_load(Path("x.yaml").read_text())["modalities"] == ["t1", "dwi", "fmri"]


def test_a_folder_of_nothing_says_what_is_looked_for_and_what_there_is(init, tmp_path):
    touch(tmp_path, "n/readme.txt")
    code, _, err = init(tmp_path / "n")
    assert code == 2
    assert "there is readme.txt" in err
    assert "raw BIDS: sub-*/anat/*_T1w.nii.gz" in err
    people(tmp_path / "n")
    code, _, err = init(tmp_path / "n")
    assert code == 2
    assert "30 people in" in err
    assert "and no data of them" in err


def test_one_modality_is_no_study(init, tmp_path):
    labels = people(tmp_path / "one")
    files(tmp_path / "one", labels, RAW[:1])
    code, _, err = init(tmp_path / "one")
    assert code == 2
    assert "expected two modalities at least, found 't1' alone" in err


def test_people_may_stand_in_a_table_of_features(init, tmp_path, capsys):
    tables = make_tables()
    age, one, two = tables["participants"][["age"]], tables["t1"], tables["dwi"]
    wide = pd.concat([one, age, one.drop(columns="participant_id").add_suffix("_right")], axis=1)
    write_cohort(tmp_path / "x", {"volumes": wide, "tracts": two, "demographics": two.iloc[:, :2]})
    assert init(tmp_path / "x")[0] == 0
    block = checked("x.yaml", capsys).cohorts["x"]
    assert block.participants == "../x/volumes.tsv"
    assert sorted(block.sources) == ["tracts", "volumes"]
    assert block.sources["volumes"].drop == ("age",)


def test_the_output_of_a_run_is_no_cohort(init, tmp_path):
    phantom(tmp_path / "x")
    people(tmp_path / "x/results/x/participants")
    (tmp_path / "x/results/x/.snakemake").mkdir()
    assert init(tmp_path / "x")[0] == 0
    assert list(yaml.safe_load(Path("x.yaml").read_text())["cohorts"]) == ["x"]


def test_a_copy_of_the_people_within_derivatives_is_no_cohort(init, tmp_path):
    phantom(tmp_path / "x")
    people(tmp_path / "x/derivatives/other")
    assert init(tmp_path / "x")[0] == 0
    assert list(yaml.safe_load(Path("x.yaml").read_text())["cohorts"]) == ["x"]


def test_labels_that_fit_nobody_are_said(init, tmp_path):
    phantom(tmp_path / "x")
    files(tmp_path / "x/derivatives/qsirecon", ["sub-p1", "sub-p2"], MAPS)
    assert init(tmp_path / "x")[0] == 0
    words = " ".join(Path("x.yaml").read_text().replace("\n      #", "").split())
    assert "not used: ../x/derivatives/qsirecon: its folders (sub-p1, sub-p2) are of nobody in " in words
    assert "participants.tsv (sub-001, sub-002, sub-003 and 27 more); do the labels fit?" in words


DOCS = (ROOT / "docs/start/own_data.md").read_text()


def merged(config, edit):
    """A configuration with the keys of an edit in the place of its own."""
    if not isinstance(edit, dict) or not isinstance(config, dict):
        return edit
    return config | {key: merged(config.get(key), value) for key, value in edit.items()}


def of_the_page(section):
    """Command, lines that are said to be found, and edit of a section of the page."""
    text = DOCS.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    blocks = {kind: re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("sh", "yaml found", "yaml edit")}
    return blocks["sh"][0].split()[1:], blocks["yaml found"], yaml.safe_load(blocks["yaml edit"][0])


def own_bids():
    root = Path("my_study")
    labels = people(root, 40)
    files(root, labels, ("anat/{p}_acq-mprage_T1w.nii.gz", "anat/{p}_acq-spgr_T1w.nii.gz", *RAW[1:]), "1")
    files(root, labels[:25], ("anat/{p}_acq-mprage_T1w.nii.gz",), "2")
    files(root / "derivatives/fmriprep", labels, BOLD, "1")


def own_derivatives():
    labels = people(Path("elsewhere"), 40)
    pd.read_csv("elsewhere/participants.tsv", sep="\t").to_csv("people.csv", index=False)
    for task in ("rest", "nback"):
        files(Path("derivatives/fmriprep"), labels, [name.replace("rest", task) for name in BOLD])
    files(Path("derivatives/qsirecon/derivatives/qsirecon-DIPYDKI"), labels, MAPS)
    for person in labels:
        freesurfer(Path("derivatives/fmriprep/sourcedata/freesurfer"), label=person)


def own_tables():
    tables = make_tables()
    tables["participants"]["family_id"] = [f"f{k // 2}" for k in range(60)]
    write_cohort(Path("tables"), tables)


@pytest.mark.parametrize(
    ("section", "make"), [("BIDS", own_bids), ("Derivatives", own_derivatives), ("Tables", own_tables)]
)
def test_the_page_on_own_data_is_true(section, make, init, tmp_path, capsys):
    make()
    (verb, folder, *options), found, edit = of_the_page(section)
    assert verb == "init"
    assert init(folder, *options)[0] == 0
    text = Path(f"{folder}.yaml").read_text()
    for lines in found:
        assert lines in text
    checked(f"{folder}.yaml", capsys)
    edited = merged(yaml.safe_load(text), edit)
    assert edited != yaml.safe_load(text)
    Path("edited.yaml").write_text(yaml.safe_dump(edited))
    checked("edited.yaml", capsys)
