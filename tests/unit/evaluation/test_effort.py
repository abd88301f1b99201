"""What a run takes: its jobs as the rules have them, and seconds and bytes that grow with people and features."""

from __future__ import annotations

import pytest

from brainpid.cohort.schemes import divisions
from brainpid.config.analysis import Splits
from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError
from brainpid.evaluation.effort import Study, Work, with_own_benchmarks, work_of
from brainpid.features.duration import ImageWork


def config(**changes):
    sources = {"t1": {"kind": "nifti"}, "dwi": {"kind": "table", "path": "dwi.tsv"}}
    content = {
        "output_dir": "out",
        "modalities": ["t1", "dwi"],
        "cohorts": {name: {"bids": name, "participants": "p.tsv", "sources": sources} for name in ("a", "b")},
        "shards": 4,
        "splits": {"folds": 5, "repeats": 2},
        "models": ["pidreg", "ridge"],
    }
    return parse_config(content | changes, "c.yaml")


FOLDS = divisions(Splits(folds=5, repeats=2), {"a": [], "b": []})


def study(n: int = 100, p: int = 50) -> Study:
    people = {"a": n, "b": n}
    images = {(cohort, "t1"): ImageWork(n, 10.0, 1500, 60) for cohort in people}
    return Study(people, people, {(cohort, "dwi"): p for cohort in people}, images, FOLDS)


def by_step(*given) -> dict[str, Work]:
    return {one.step: one for one in work_of(*given)}


def test_jobs_are_those_of_the_rules():
    found = by_step(config(folds_per_job=2, explain={"folds": 3}), study())
    assert {step: one.jobs for step, one in found.items()} == {
        "participants": 2, "tables": 2, "index": 2, "extract t1": 8, "quality": 1, "collect": 2, "split": 1,
        "leakage": 1,
        "train pidreg": 6, "train ridge": 6, "train_final": 1, "explain": 3, "null": 2, "aggregate": 1, "report": 1,
    }  # fmt: skip
    assert found["extract t1"].mb == 1500
    assert found["train pidreg"].mb == 2000


def test_what_is_switched_off_is_no_step():
    found = by_step(config(final_model=False, explain={"permutations": 0}), study())
    assert not {"train_final", "explain"} & set(found)


def test_reference_ages_are_read_in_one_job():
    assert by_step(config(reference_ages={"range": [20, 60]}), study())["rescore"].jobs == 1


def test_images_take_what_their_people_take_beside_the_start_of_their_jobs():
    one, two = (by_step(config(), study(n))["extract t1"].seconds for n in (100, 200))
    assert two - one == pytest.approx(2 * 100 * 10.0)


def test_more_people_features_and_members_take_more():
    small, large, wide = (by_step(config(), study(*size)) for size in ((100, 50), (10_000, 50), (100, 5000)))
    for step in ("train pidreg", "train ridge", "collect"):
        assert large[step].seconds > small[step].seconds < wide[step].seconds
        assert large[step].bytes > small[step].bytes < wide[step].bytes
    few = config(hyperparameters={"pidreg": {"members": 3}})
    assert by_step(few, study())["train pidreg"].seconds < small["train pidreg"].seconds


def test_memory_of_a_fit_grows_beyond_what_its_job_asks_for_with_large_tables():
    """40,000 people with 844 features took 2.5 GB."""
    found = by_step(config(), Study({"a": 1}, {"a": 44_444}, {("a", "dwi"): 784, ("a", "t1"): 60}, {}, FOLDS))
    assert 2000 < found["train pidreg"].mb < 5000
    assert by_step(config(), study())["train pidreg"].mb == 2000


def test_finished_jobs_of_the_study_stand_in_the_place_of_the_estimate(tmp_path):
    folder = tmp_path / "benchmarks"
    jobs = {"train/pidreg_repeat-0_fold-0": (30, 28), "train/pidreg_repeat-0_fold-1": (50, 40), "report": (70, 10)}
    for name, (clock, processor) in jobs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.tsv").write_text(f"s\th:m:s\tcpu_time\n{clock}\t0:00:01\t{processor}\n")
    found = {one.step: one for one in with_own_benchmarks(work_of(config(), study()), tmp_path)}
    assert (found["train pidreg"].seconds, found["train pidreg"].measured) == (40 * 10, 2)
    # Of the 70 seconds the machine did something else in most.
    assert (found["report"].seconds, found["report"].measured) == (pytest.approx(1.5 * 10 + 0.7), 1)
    assert found["train ridge"] == by_step(config(), study())["train ridge"]
    (folder / "report.tsv").write_text("x\n1\n")
    with pytest.raises(InputError, match=r"report.tsv: expected a benchmark file of Snakemake"):
        with_own_benchmarks(work_of(config(), study()), tmp_path)
