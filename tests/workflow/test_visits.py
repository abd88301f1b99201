"""A run in which every session is a row of its own, from files of each visit to the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from snakemake_runs import done, planned

from brainpid.core.files import read_own_tsv

pytestmark = pytest.mark.slow

EXTRACTOR = """
import numpy as np
from brainpid.imaging.extracted import Extracted

def numbers(files):
    values = np.loadtxt(files["values"])
    names = [f"x{k}" for k in range(len(values))]
    return Extracted(dict(zip(names, map(float, values))), dict.fromkeys(names, "1"))
"""


def write_tree(top: Path, people: int = 30) -> None:
    """People of two visits, three years apart, the first ten without a second; ages stand in sessions.tsv."""
    random = np.random.default_rng(0)
    rows = ["participant_id\tage\tsex"]
    (top / "my_numbers.py").write_text(EXTRACTOR)
    for k in range(people):
        person, age, own = f"sub-{k:02d}", random.uniform(20, 80), random.normal(size=4) / 2
        rows.append(f"{person}\t{age:.1f}\t{'FM'[k % 2]}")
        told = ["session_id\tage"]
        for visit in range(1 if k < 10 else 2):
            then = age + 3 * visit
            told.append(f"ses-{visit}\t{then:.1f}")
            folder = top / f"data/{person}/ses-{visit}"
            folder.mkdir(parents=True)
            for name in ("t1", "dwi"):
                np.savetxt(folder / f"{name}.txt", (then - 50) / 17 + own + random.normal(size=4) / 3)
        (top / f"data/{person}/{person}_sessions.tsv").write_text("\n".join(told) + "\n")
    (top / "data/participants.tsv").write_text("\n".join(rows) + "\n")


def test_sessions_are_visits(tmp_path):
    write_tree(tmp_path)
    source = {"kind": "import", "path": "data", "function": "my_numbers.numbers", "sessions": "all"}
    content = {
        "output_dir": "out", "modalities": ["t1", "dwi"], "shards": 1, "models": ["ridge"],
        "cohorts": {"a": {"bids": "data", "sources": {m: source | {"files": {"values": f"{m}.txt"}} for m in
                                                      ("t1", "dwi")}}},
        "splits": {"folds": 2, "repeats": 1, "group": "person"}, "null": {"permutations": 1}, "final_model": False,
        "explain": {"permutations": 0},
    }  # fmt: skip
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    done(path)
    people = read_own_tsv(tmp_path / "out/participants.tsv").set_index("participant_id")
    assert len(people) == 50
    assert people["included"].all()
    assert people.loc["sub-29_ses-1", "age"] == pytest.approx(people.loc["sub-29_ses-0", "age"] + 3, abs=0.06)
    splits = read_own_tsv(tmp_path / "out/splits.tsv")
    splits["person"] = splits["participant_id"].str.partition("_")[0]
    assert (splits.groupby(["fold", "person"])["role"].nunique() == 1).all()
    predictions = read_own_tsv(tmp_path / "out/aggregate/predictions.tsv")
    assert predictions["participant_id"].nunique() == 50
    assert np.corrcoef(predictions["age"], predictions["predicted_age"])[0, 1] > 0.8

    assert planned(path) == {}
    told = tmp_path / "data/sub-00/sub-00_sessions.tsv"
    told.write_text("session_id\tage\nses-0\t44.0\n")
    again = planned(path)
    assert again["participants"] == 1
    assert "extract_images" not in again
    (tmp_path / "data/sub-00/ses-1").mkdir()
    told.write_text("session_id\tage\nses-0\t44.0\nses-1\t45.0\n")
    assert planned(path)["extract_images"] == 2
