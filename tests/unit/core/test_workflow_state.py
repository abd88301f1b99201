"""How far a run is, from what Snakemake tells."""

from __future__ import annotations

import re

import pytest
from cohorts import ROOT

from brainpid.core.workflow_state import STEPS, Study, in_words


def took(study: Study, job: int, rule: str, began: float, ended: float) -> None:
    study.take({"event": "job_info", "job": job, "rule": rule, "of": {"fold": str(job)}, "log": []}, began)
    study.take({"event": "job_finished", "job": job}, ended)


@pytest.fixture
def study():
    """Four short steps and four long ones are to be done."""
    study = Study()
    study.take({"event": "run_info", "stats": {"split": 4, "train_pidreg": 4, "all": 1, "total": 9}}, 0)
    return study


def test_the_target_is_no_step(study):
    assert (study.total, study.whole) == (8, True)
    study.take({"event": "job_info", "job": 0, "rule": "all", "of": {}, "log": []}, 1)
    study.take({"event": "job_finished", "job": 0}, 1)
    assert (study.done.total(), study.working) == (0, {})


def test_time_left_follows_the_steps_of_each_kind(study):
    took(study, 1, "split", 0, 10)
    took(study, 2, "split", 10, 20)
    assert study.seconds_left(20) is None
    took(study, 3, "train_pidreg", 20, 120)
    assert study.seconds_left(120) == pytest.approx(2 * 10 + 3 * 100)  # one at a time
    study.take({"event": "job_info", "job": 4, "rule": "train_pidreg", "of": {}, "log": []}, 120)
    assert study.seconds_left(150) == pytest.approx(20 + 2 * 100 + 70)
    assert study.seconds_left(400) == pytest.approx(20 + 2 * 100)  # longer than the others took
    assert study.line(150) == "3 of 8 steps done; about 5 min left; training"


def test_time_left_is_shared_by_what_works_at_a_time(study):
    for job in range(4):
        took(study, job, "train_pidreg", 0, 100)
    assert study.seconds_left(100) == pytest.approx(4 * 100 / 4)  # `split` is taken to last as long as the others


def test_a_job_that_is_tried_again_has_not_failed(study):
    took(study, 1, "split", 0, 1)
    study.take({"event": "job_info", "job": 2, "rule": "split", "of": {"fold": "2"}, "log": ["a.log"]}, 1)
    study.take({"event": "job_error", "job": 2, "rule": "split", "log": ["a.log", "slurm.log"]}, 2)
    assert study.line(2) == "1 of 8 steps done, 1 failed; planning what is next"
    (job,) = study.failed.values()
    assert (str(job), job.log) == ("splitting people into folds (fold 2)", ("a.log", "slurm.log"))
    study.take({"event": "job_info", "job": 2, "rule": "split", "of": {}, "log": []}, 3)
    assert study.failed == {}


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "under a minute"), (31, "about 1 min"), (5900, "about 98 min"), (6600, "about 2 h")]
)
def test_durations_are_rough(seconds, words):
    assert in_words(seconds) == words


def test_every_rule_has_words():
    texts = "\n".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    rules = set(re.findall(r"^rule (\w+):", texts, re.MULTILINE)) | {"train_baseline", "train_pidreg"}
    assert set(STEPS) == rules
