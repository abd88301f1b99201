"""The three sentences at the end of a run hold the numbers of its tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainpid.report.closing import closing

MODALITIES = ("t1", "dwi")
BITS = {"total": 1.0, "alone": 0.5, "added": 0.25}
NO_TRUTH = pd.DataFrame(columns=["cohort", "measure", "scope", "modalities", "atom", "bits"])


def accuracy(cohorts):
    return pd.DataFrame(
        [
            {"cohort": cohort, "model": model, "modalities": own, "n": 50 + k, "mae": mae + k,
             "mae_ci_low": mae + k - 1, "mae_ci_high": mae + k + 1}
            for k, cohort in enumerate(cohorts)
            for model, own, mae in (("ridge", "t1+dwi", 6.0), ("pidreg", "t1+dwi", 5.0), ("pidreg", "t1", 9.0))
        ]
    )  # fmt: skip


def pid(cohorts, reach=0.125):
    return pd.DataFrame(
        [
            {"cohort": cohort, "model": model, "estimator": estimator, "measure": measure, "scope": "one_vs_rest",
             "modalities": m, "atom": atom, "bits": bits + k + (7 if model == "ridge" else 0),
             "ci_low": bits + k - reach, "ci_high": bits + k + reach}
            for k, cohort in enumerate(cohorts)
            for model in ("ridge", "pidreg")
            for estimator in ("log_score", "gaussian_score")
            for measure in ("mmi", "idep")
            for m in MODALITIES
            for atom, bits in BITS.items()
        ]
    )  # fmt: skip


def said(cohorts, truth=NO_TRUTH, **more):
    return closing(
        accuracy(cohorts), pid(cohorts, **more), truth, ("pidreg", "ridge"), MODALITIES, ("age", "years"), "out"
    )


def test_one_cohort_without_a_truth():
    first, second, third = said(["a"])
    assert first == (
        "Accuracy: PIDReg misses the age of held-out people by 5.0 years [4.0, 6.0] on average (Ridge 6.0), over 50 "
        "people with every modality."
    )
    assert second == (
        "Information: all modalities together tell 1.00 bits [0.88, 1.12] of age; t1 alone 0.50 bits [0.38, 0.62] and "
        "beyond the others 0.25 bits [0.12, 0.38]; dwi alone 0.50 bits [0.38, 0.62] and beyond the others 0.25 bits "
        "[0.12, 0.38]."
    )
    assert third.startswith("Open out/report.html in a browser")


def test_of_several_cohorts_the_pooled_rows_speak():
    first, second, _ = said(["a", "pooled"])
    assert "6.0 years [5.0, 7.0]" in first
    assert "over 51 people" in first
    assert "tell 2.00 bits [1.88, 2.12]" in second


def test_true_values_are_counted_in_the_intervals():
    true = {"total": 1.0625, "alone": 0.5, "added": 0.75}  # the last is outside
    rows = [
        {"cohort": "a", "measure": measure, "scope": "one_vs_rest", "modalities": m, "atom": atom, "bits": bits}
        for measure in ("mmi", "idep")
        for m in MODALITIES
        for atom, bits in true.items()
    ]
    _, second, _ = said(["a"], pd.DataFrame(rows))
    assert (
        "t1 alone 0.50 bits [0.38, 0.62], truth 0.50 and beyond the others 0.25 bits [0.12, 0.38], truth 0.75" in second
    )
    assert second.endswith("3 of the 5 true values lie in their intervals.")


def test_nothing_is_said_of_an_interval_that_is_not_known():
    _, second, _ = said(["a"], reach=np.nan)
    assert second.startswith("Information: all modalities together tell 1.00 bits of age; t1 alone 0.50 bits and")


def test_a_run_without_a_decomposition_says_so():
    empty = pid(["a"]).iloc[:0]
    second = closing(accuracy(["a"]), empty, NO_TRUTH, ("pidreg", "ridge"), MODALITIES, ("age", "years"), "out")[1]
    assert second.startswith("Information: no cohort can be decomposed")
