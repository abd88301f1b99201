"""The demonstration with other seeds: how often what was planted is shown, and how often intervals hold the truth.

Run ``python benchmarks/demo.py [SEEDS]``; it makes as many phantoms (20 unless given), runs ``config/demo.yaml`` on
each, three CPU minutes a seed, and prints a table of the pooled rows and of the sites.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import yaml

from brainpid.core.names import LOG_SCORE_ESTIMATOR
from brainpid.evaluation.random_effects import POOLED

ROOT = Path(__file__).parents[1]
PEOPLE, SITES, VOXEL_SIZE = 200, 2, 8
KEYS = ["modalities", "atom"]
SMALLEST = 1e-9
"""Bits; true information that is zero is computed with an error."""
NAMES: dict[str, Callable[..., str | None]] = {
    "all": lambda *words: "total" if words[-1] == "total" else None,
    "one_vs_rest": lambda modality, atom: f"{modality} {atom}" if atom in ("alone", "added") else None,
    "pair": lambda first, second, atom: f"{first} above {second}" if atom == "unique" else None,
}
"""What a row of a scope states, from the words of its modalities and its atom; None for no statement."""


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
    """Every planted statement of every cohort: what is read, what is true, and whether the interval is above zero.

    A modality tells more than another where its unique part beside that one is above zero, since by ``mmi`` that is
    the difference of what they tell alone.
    """
    true = pd.DataFrame(truth["decomposition"]["mmi"]).set_index(["scope", *KEYS])["bits"]  # type: ignore[index]
    rows = pid[
        (pid["model"] == "pidreg") & (pid["estimator"] == LOG_SCORE_ESTIMATOR) & (pid["measure"] == "mmi")
        & pid["given"].isna()
    ]  # fmt: skip
    above = rows[(rows["scope"] == "pair") & (rows["atom"] == "unique") & (rows["ci_low"] > 0)]
    reversed_order = set(zip(above["cohort"], above["modalities"], strict=True))
    for row in rows.to_dict("records"):
        name = NAMES[row["scope"]](*row["modalities"].split("+"), row["atom"])
        if name is None:
            continue
        bits = float(true[row["scope"], row["modalities"], row["atom"]])
        other = "+".join(reversed(row["modalities"].split("+")))
        if row["scope"] == "pair" and bits <= SMALLEST:
            continue  # told by the other's row
        yield {
            "statement": name,
            "rows": POOLED if row["cohort"] == POOLED else "one site",
            "truth": bits,
            "read": row["bits"],
            "half_width": (row["ci_high"] - row["ci_low"]) / 2,
            "shown": row["ci_low"] > 0,
            "covers": row["ci_low"] <= bits <= row["ci_high"],
            "right": (row["ci_low"] > 0) == (bits > SMALLEST),
            "wrong": (row["cohort"], other) in reversed_order
            if row["scope"] == "pair"
            else row["ci_low"] > 0 and bits <= SMALLEST,
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
        own = pd.DataFrame(found[-len(found) // seed :])
        words = ", ".join(f"{int(own[name].sum())} {name}" for name in ("right", "wrong", "covers"))
        print(f"seed {seed}: of {len(own)} statements {words}", file=sys.stderr, flush=True)
    table = pd.DataFrame(found).groupby(["rows", "statement"], sort=False).mean()
    print("| rows | statement | truth, bits | read | half width | shown | truth inside | right | wrong, and shown |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (rows, statement), line in table.iterrows():
        print(
            f"| {rows} | {statement} | {line['truth']:.2f} | {line['read']:.2f} | {line['half_width']:.2f} "
            f"| {line['shown']:.2f} | {line['covers']:.2f} | {line['right']:.2f} "
            f"| {line['wrong']:.2f} |"
        )


if __name__ == "__main__":
    main()
