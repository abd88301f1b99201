"""Tables of out-of-fold predictions whose accuracy and information are known, for tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

MODALITIES = ["t1", "dwi"]


def out_of_fold(n: int = 400, repeats: int = 2, gain: float = 1.0) -> pd.DataFrame:
    """Predictions of two cohorts whose latents have a known information about age."""
    rng = np.random.default_rng(0)
    frames = []
    for cohort in ("a", "b"):
        g = rng.normal(size=n)
        t1, dwi = gain * g + rng.normal(size=n), gain * g + rng.normal(size=n)
        noisy = gain**2  # precision of each latent, in that of the score
        precision = {"t1": noisy, "dwi": noisy, "t1+dwi": 2 * noisy}
        told = {"t1": t1, "dwi": dwi, "t1+dwi": t1 + dwi}
        means = {subset: gain * told[subset] / (1 + precision[subset]) for subset in told}
        once = pd.DataFrame(
            {
                "participant_id": [f"sub-{k}" for k in range(n)], "cohort": cohort, "site": "s", "age": 50 + 10 * g,
                "model": "ridge", "fold": np.arange(n) % 5, "modalities": "t1+dwi",
                "latent_t1": t1, "latent_dwi": dwi,
                "predicted_age": 50 + 10 * means["t1+dwi"], "predicted_age_corrected": 50 + 5 * (t1 + dwi),
                "pi_low": 50 + 10 * (means["t1+dwi"] - 1), "pi_high": 50 + 10 * (means["t1+dwi"] + 1),
            }
            | {f"subset_{subset}": 50 + 10 * mean for subset, mean in means.items()}
            | {f"log_score_{subset}": _log_score(g, means[subset], 1 + precision[subset]) for subset in told}
        )  # fmt: skip
        for name in ("brain_pad", "brain_pad_corrected"):
            once[name] = once[name.replace("brain_pad", "predicted_age")] - once["age"]
        frames += [once.assign(repeat=repeat) for repeat in range(repeats)]
    return pd.concat(frames, ignore_index=True)


def incomplete(n: int = 60) -> pd.DataFrame:
    """`out_of_fold` where 20 people of cohort a have t1 alone and 5 dwi alone, and nobody of cohort b has dwi."""
    rows = out_of_fold(n).astype({"modalities": object})
    person = rows["participant_id"].str.removeprefix("sub-").astype(int)
    without_dwi = (rows["cohort"] == "b") | (person < 20)
    without_t1 = (rows["cohort"] == "a") & person.between(20, 24)
    for mask, lacking, left in ((without_dwi, "dwi", "t1"), (without_t1, "t1", "dwi")):
        columns = [
            column for column in rows if column.startswith(("latent_", "subset_", "log_score_")) and lacking in column
        ]
        rows.loc[mask, columns] = np.nan
        rows.loc[mask, "modalities"] = left
    return rows


def _log_score(g: np.ndarray, mean: np.ndarray, precision: float) -> np.ndarray:
    """Bits by which normal scores g are likelier under N(mean, 1 / precision) than under N(0, 1)."""
    return (0.5 * np.log(precision) - 0.5 * precision * (g - mean) ** 2 + 0.5 * g**2) / np.log(2)
