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
        once = pd.DataFrame(
            {
                "participant_id": [f"sub-{k}" for k in range(n)], "cohort": cohort, "age": 50 + 10 * g,
                "model": "ridge", "fold": np.arange(n) % 5, "modalities": "t1+dwi",
                "latent_t1": t1, "latent_dwi": dwi,
                "concatenated_t1": t1, "concatenated_dwi": dwi, "concatenated_t1+dwi": (t1 + dwi) / 3,
                "predicted_age": 50 + 10 * (t1 + dwi) / 3, "predicted_age_corrected": 50 + 5 * (t1 + dwi),
            }
        )  # fmt: skip
        frames += [once.assign(repeat=repeat) for repeat in range(repeats)]
    return pd.concat(frames, ignore_index=True)


def incomplete(n: int = 60) -> pd.DataFrame:
    """`out_of_fold` where 20 people of cohort a have t1 alone and 5 dwi alone, and nobody of cohort b has dwi."""
    rows = out_of_fold(n).astype({"modalities": object})
    person = rows["participant_id"].str.removeprefix("sub-").astype(int)
    without_dwi = (rows["cohort"] == "b") | (person < 20)
    without_t1 = (rows["cohort"] == "a") & person.between(20, 24)
    for mask, lacking, left in ((without_dwi, "dwi", "t1"), (without_t1, "t1", "dwi")):
        columns = [column for column in rows if column.startswith(("latent_", "concatenated_")) and lacking in column]
        rows.loc[mask, columns] = np.nan
        rows.loc[mask, "modalities"] = left
    return rows
