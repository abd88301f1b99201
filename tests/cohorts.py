"""Small cohorts on disk for tests: tables whose content each test may spoil."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


def make_tables(n: int = 60, seed: int = 0, prefix: str = "sub-") -> dict[str, pd.DataFrame]:
    """Participants and two modalities that depend on age."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 80, n).round(1)
    labels = [f"{prefix}{person:03d}" for person in range(n)]
    score = (age - 50) / 17
    tables = {
        "participants": pd.DataFrame(
            {
                "participant_id": labels,
                "age": age,
                "sex": rng.choice(["F", "M"], n),
                "site": "one",
                "icv_mm3": rng.normal(1.5e6, 1e5, n).round(),
            }
        )
    }
    for modality, gain, p in (("t1", 1.0, 5), ("dwi", 0.7, 4)):
        values = gain * score[:, None] + rng.normal(size=(n, p))
        tables[modality] = pd.DataFrame(values, columns=[f"{modality}_{k}" for k in range(p)]).round(5)
        tables[modality].insert(0, "participant_id", labels)
    return tables


def write_cohort(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write the tables of one cohort as TSV."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.tsv", sep="\t", index=False, na_rep="n/a")


def make_config(folder: Path, cohorts: list[str], out: Path, **changes: Any) -> dict[str, Any]:
    """Configuration of cohorts that `write_cohort` wrote to `folder/<cohort>`."""
    config: dict[str, Any] = {
        "output_dir": str(out),
        "modalities": ["t1", "dwi"],
        "cohorts": {
            cohort: {
                "participants": str(folder / cohort / "participants.tsv"),
                "sources": {
                    modality: {"kind": "table", "path": str(folder / cohort / f"{modality}.tsv")}
                    for modality in ("t1", "dwi")
                },
            }
            for cohort in cohorts
        },
        "splits": {"folds": 2, "repeats": 2},
        "models": ["ridge"],
    }
    return config | changes


def write_config(path: Path, config: dict[str, Any]) -> Path:
    """Write a configuration as YAML."""
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def touch(root: Path, *names: str) -> None:
    """Make empty files under a folder."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
