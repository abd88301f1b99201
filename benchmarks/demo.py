"""The demonstration with other seeds: how often what was planted is shown, and how often intervals hold the truth.

Run ``python benchmarks/demo.py [SEEDS]``; it makes as many phantoms (20 unless given), runs ``config/demo.yaml`` on
each, three CPU minutes a seed, and prints a table of the pooled rows and of the sites.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml

from brainpid.core.names import LOG_SCORE_ESTIMATOR
from brainpid.evaluation.random_effects import POOLED

ROOT = Path(__file__).parents[1]
PEOPLE, SITES, VOXEL_SIZE = 136, 2, 8
KEYS = ["modalities", "atom"]


def finished(folder: Path, seed: int) -> pd.DataFrame:
    """Make the phantom of a seed, run the demonstration on it, and give the rows of its decomposition."""
    data = folder / "data"
    options = {"out": data, "subjects": PEOPLE, "sites": SITES, "seed": seed, "voxel-size": VOXEL_SIZE}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    subprocess.run([sys.executable, "-m", "brainpid.cli", "phantom", *words], check=True, stderr=subprocess.DEVNULL)
    text = (ROOT / "config/demo.yaml").read_text(encoding="utf-8")
    config = yaml.safe_load(text.replace("results/demo_data", str(data)))
    config |= {"output_dir": str(folder / "out"), "final_model": False, "explain": {"permutations": 0}}
    (folder / "c.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(ROOT / "Snakefile"),
        "--cores",
        "2",
        "--quiet",
        "all",
    ]
    subprocess.run([*command, "all", "--configfile", str(folder / "c.yaml")], check=True, cwd=folder, stdout=sys.stderr)
    return pd.read_csv(folder / "out/aggregate/pid.tsv", sep="\t")


def statements(pid: pd.DataFrame, truth: dict[str, object]) -> Iterator[dict[str, object]]:
    """Every planted statement of every cohort: what is read, what is true, and whether the interval is above zero."""
    true = pd.DataFrame(truth["decomposition"]["mmi"])  # type: ignore[index]
    true = true[true["scope"] == "one_vs_rest"].set_index(KEYS)["bits"]
    rows = pid[
        (pid["model"] == "pidreg") & (pid["estimator"] == LOG_SCORE_ESTIMATOR) & (pid["measure"] == "mmi")
        & (pid["scope"] == "one_vs_rest") & pid["given"].isna() & pid["atom"].isin(["total", "alone", "added"])
    ]  # fmt: skip
    for row in rows.to_dict("records"):
        if row["atom"] == "total" and row["modalities"] != "t1":
            continue  # the same total of every modality
        bits = float(true[row["modalities"], row["atom"]])
        yield {
            "statement": "total" if row["atom"] == "total" else f"{row['modalities']} {row['atom']}",
            "rows": POOLED if row["cohort"] == POOLED else "one site",
            "truth": bits,
            "read": row["bits"],
            "half_width": (row["ci_high"] - row["ci_low"]) / 2,
            "shown": row["ci_low"] > 0,
            "covers": row["ci_low"] <= bits <= row["ci_high"],
            "right": (row["ci_low"] > 0) == (bits > 1e-9),
        }


def main() -> None:
    """Print means over seeds, one line a statement."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    found = []
    for seed in range(1, seeds + 1):
        with tempfile.TemporaryDirectory() as name:
            pid = finished(Path(name), seed)
            truth = json.loads(Path(name, "data/truth.json").read_text(encoding="utf-8"))
        found += list(statements(pid, truth))
        print(f"seed {seed}: {len(found)} statements", file=sys.stderr)
    table = pd.DataFrame(found).groupby(["rows", "statement"], sort=False).mean()
    print("| rows | statement | truth, bits | read | half width | shown | truth inside | verdict right |")
    print("|---|---|---|---|---|---|---|---|")
    for (rows, statement), line in table.iterrows():
        print(
            f"| {rows} | {statement} | {line['truth']:.2f} | {line['read']:.2f} | {line['half_width']:.2f} "
            f"| {line['shown']:.2f} | {line['covers']:.2f} | {line['right']:.2f} |"
        )


if __name__ == "__main__":
    main()
