"""The methods text is of what was run."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from report_tables import NO_NEW_SITES, SETTINGS

from brainpid.config.analysis import DecompositionSettings, Null, Splits
from brainpid.config.extraction import AtlasFiles
from brainpid.config.reference_ages import ReferenceAges
from brainpid.config.slices import ReportAtlas, ReportInput
from brainpid.features.findings import findings_table
from brainpid.report.methods import methods_text
from brainpid.report.references import BIBTEX, bibtex, references

PARTICIPANTS = pd.DataFrame(
    {
        "cohort": "a",
        "age": [20.0, 30, 40, float("nan")],
        "sex": ["F", "F", "M", "M"],
        "included": [True, True, True, False],
        "reason": [None, None, None, "no target value"],
        "t1_status": "SUCCESS",
        "dwi_status": ["SUCCESS", "SUCCESS", "FAIL", "SUCCESS"],
    }
)


def methods(settings=SETTINGS, cohorts=("a",), participants=PARTICIPANTS) -> dict[str, str]:
    tables = {
        "participants": participants,
        "features": pd.DataFrame({"modality": ["t1", "t1", "dwi"], "included": [True, False, True]}),
        "base_learners": pd.DataFrame(
            {"model": "pidreg", "base_learner": ["network", "kernel", "forest"], "folds_fitted": [12, 12, 0]}
        ),
        "accuracy": pd.DataFrame({"cohort": list(cohorts)}),
        "leakage": findings_table([]),
        "new_sites": NO_NEW_SITES,
    }
    return dict(
        methods_text(
            settings, tables, {"pidreg": {"n_folds": 12}, "ridge": {}}, {"brainpid": "0.1.0", "numpy": "2.3.5"}
        )
    )


def test_the_order_is_that_of_cobidas():
    assert list(methods()) == [
        "Participants", "Imaging data", "Features", "Audit", "Design",
        "Models", "Measures", "Intervals", "Tests", "Software",
    ]  # fmt: skip


def test_participants_and_exclusions_are_counted():
    assert methods()["Participants"] == (
        "a: 3 people of 4 took part, age 20 to 40 years (mean 30.0, standard deviation 10.0); sex F: 2, M: 1. "
        "Not included: no known age (n = 1). Modalities that people lacked: dwi fail n = 1."
    )


def test_reasons_of_the_methods_name_no_files():
    without = PARTICIPANTS.assign(age=40.0, t1_status="UNAVAILABLE", dwi_status="FAIL", reason="no row in /data/x.tsv")
    assert "Not included: no modality usable (n = 1)." in methods(participants=without)["Participants"]
    some = without.assign(t1_status="SUCCESS")
    assert "Not included: no row in /data/x.tsv (n = 1)." in methods(participants=some)["Participants"]
    exclude = SETTINGS.model_copy(update={"incomplete": "exclude"})
    told = methods(exclude, participants=some)["Participants"]
    assert "Not included: not every modality usable (n = 1)." in told


def test_inputs_and_features():
    told = methods()
    assert told["Imaging data"].startswith(
        "t1: tables of features, those of its unit divided by icv_mm3. dwi: maps of QSIRecon"
    )
    assert told["Features"].startswith("Features by modality: t1 1 (1 without information left out), dwi 1. Scaling")
    inputs = SETTINGS.inputs | {"b": {"t1": ReportInput(kind="freesurfer", divide_by=None)}}
    several = methods(SETTINGS.model_copy(update={"inputs": inputs}))["Imaging data"]
    assert (
        "t1: tables of features, those of its unit divided by icv_mm3 (a); statistics of FreeSurfer (Fischl 2012) (b)."
        in several
    )


def test_design():
    told = methods()["Design"]
    assert told.startswith("Stratified cross-validation (4 folds, 3 repeats; seed 0).")
    splits = Splits(scheme="leave_one_cohort_out", group="family", seed=7)
    other = SETTINGS.model_copy(update={"splits": splits, "incomplete": "exclude"})
    told = methods(other)["Design"]
    assert told.startswith("Leave-one-cohort-out cross-validation (leave one cohort out; seed 7).")
    assert "Equal values of family stayed on one side" in told
    assert told.endswith("Participants without every modality were left out.")


def test_models_name_the_base_learners_that_were_fitted():
    assert methods()["Models"] == (
        "Trained on the same folds: PIDReg, after Ma and Yu (2025) (stacked base learners: networks and Gaussian "
        "processes); Ridge. Results are of PIDReg unless said."
    )


def test_intervals_tests_and_versions():
    told = methods()
    assert "Cohorts were pooled" not in told["Intervals"]
    assert "promise 90%" in told["Intervals"]
    assert "(scale 0.15 bits)" in methods(cohorts=("a", "b", "pooled"))["Intervals"]
    assert "tested against 99 permutations of the target" in told["Tests"]
    off = SETTINGS.model_copy(update={"null": Null(permutations=0)})
    assert methods(off)["Tests"] == "Information was not tested against a null."
    grouped = SETTINGS.model_copy(update={"splits": Splits(group="family")})
    assert "given the others, whole groups of family at once, by the ridge encoder" in methods(grouped)["Tests"]
    assert told["Software"].startswith("Models were trained by brainpid 0.1.0, numpy 2.3.5, with Snakemake")


def test_reference_ages_are_said_and_cited():
    assert "distributed" not in methods()["Intervals"]
    told = SETTINGS.model_copy(update={"reference_ages": ReferenceAges(range=(18, 90))})
    assert "also given as if age were distributed evenly from 18 to 90: predictive" in methods(told)["Intervals"]
    assert "Holt1979" in references(told)
    assert "Holt1979" not in references(SETTINGS)


def test_every_entry_is_bibtex_of_its_key():
    for key, entry in BIBTEX.items():
        assert re.match(rf"@(article|inproceedings|misc)\{{{key}, author=\{{", entry)
        fields = {"article": "journal", "inproceedings": "booktitle", "misc": "eprint"}
        kind = entry[1 : entry.index("{")]
        assert f"{fields[kind]}={{" in entry
        assert kind != "article" or "doi={10." in entry or key == "Pedregosa2011"  # which has none
        assert f"year={{{key[-4:]}}}" in entry
        assert entry.count("{") == entry.count("}")


def test_references_are_of_what_was_used():
    used = references(SETTINGS)
    assert {"MaYu2025", "Paszke2019", "Pedregosa2011", "Cieslak2021", "Barrett2015", "KayInce2018"} <= set(used)
    assert not {"Esteban2019", "Fischl2012", "Avants2011"} & set(used)
    assert bibtex(SETTINGS).count("\n@") == len(used) - 1
    ridge = SETTINGS.model_copy(update={"models": ("ridge",), "pid": DecompositionSettings(measures=("mmi",))})
    assert not {"MaYu2025", "Paszke2019", "KayInce2018"} & set(references(ridge))


def test_atlases_that_need_no_files_are_said_and_cited():
    files = AtlasFiles(image="a.nii", labels="a.tsv")
    gray, white, own = (
        ReportAtlas(tissue=tissue, files=given) for tissue, given in (("gray", None), ("white", None), ("gray", files))
    )
    settings = SETTINGS.model_copy(update={"atlases": {"t1": gray, "dwi": white}})
    said = methods(settings)["Features"]
    assert "t1: grey matter of MNI152 cut by the coordinates of Seitzman et al. (2020); dwi: white matter" in said
    assert {"Seitzman2020", "Dosenbach2010", "Abraham2014"} <= set(references(settings))
    settings = SETTINGS.model_copy(update={"atlases": {"t1": own}})
    assert methods(settings)["Features"].endswith(" Regions: t1: a parcellation given in MNI space.")
    assert not {"Seitzman2020", "Dosenbach2010"} & set(references(settings))
    assert "Regions:" not in methods()["Features"]


@pytest.mark.parametrize("settings", [SETTINGS])
def test_what_the_text_cites_by_source_and_measure_stands_in_the_references(settings):
    text, found = " ".join(methods(settings).values()), bibtex(settings)
    for author, year in (("Barrett", 2015), ("Kay", 2018), ("Gneiting", 2007), ("Mardia", 1970), ("Cieslak", 2021),
                         ("Wilson", 1927), ("Ma", 2025)):  # fmt: skip
        assert author in text
        assert str(year) in text
        assert f"author={{{author}, " in found
