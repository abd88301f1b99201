"""Accuracy on real tables: every model on the same splits, with its cost and the paired difference from the first.

Runs the workflow on the configurations under ``tests/configs`` and prints one Markdown table each. Below stand the
baselines of the folder that holds the data; they were made with other splits and with complete cells only, and are
shown for orientation. Skips where the data is absent.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from brainpid.config import load_config
from brainpid.models import MODELS

ROOT = Path(__file__).resolve().parents[1]


def run(name: str) -> None:
    """Run one configuration and print its table."""
    path = ROOT / "tests" / "configs" / f"{name}.yaml"
    config = load_config(path)
    data = (ROOT / next(iter(config.cohorts.values())).participants).parent
    if not data.is_dir():
        print(f"{name}: skipped, {data} is absent")
        return
    start = time.perf_counter()
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", str(path), "--quiet", "all"]
    subprocess.run(command, cwd=ROOT, check=True)
    took = time.perf_counter() - start
    units = config.target.units
    trainings = len(config.models) * config.splits.repeats * config.n_folds
    print(f"\n### {name}\n")
    print(f"{trainings} trainings, two cores: {took:.0f} s for what was not yet made.\n")
    print(
        f"| model | n | MAE ({units}) | 95% interval | {MODELS[config.models[0]].label} minus it | RMSE | R2 | "
        "CPU s a training |"
        "\n|---|---|---|---|---|---|---|---|"
    )
    output = ROOT / config.output_dir
    accuracy, comparison = (
        pd.read_csv(output / f"aggregate/{table}.tsv", sep="\t", na_values="n/a")
        for table in ("accuracy", "comparison")
    )
    complete = accuracy[accuracy["modalities"] == "+".join(config.modalities)]
    table = complete.merge(comparison, on=["cohort", "model"], how="left", suffixes=("", "_pair"))
    for row in table.itertuples():
        costs = [
            pd.read_csv(file, sep="\t")["cpu_time"]
            for file in (output / "benchmarks/train").glob(f"{row.model}_repeat-*")
        ]
        pair = f"{row.difference:+.2f} [{row.ci_low:+.2f}, {row.ci_high:+.2f}]" if pd.notna(row.difference) else ""
        print(
            f"| {MODELS[row.model].label} | {row.n} | {row.mae:.2f} | {row.mae_ci_low:.2f} to {row.mae_ci_high:.2f} | "
            f"{pair} | {row.rmse:.2f} | {row.r2:.3f} | {pd.concat(costs).mean():.1f} |"
        )
    for label, row in json.loads((data / "baselines.json").read_text()).items():
        print(f"| folder's {label} | {row['n']} | {row['MAE']:.2f} | | | {row['RMSE']:.2f} | {row['R2']:.3f} | |")


if __name__ == "__main__":
    for name in sys.argv[1:] or ["camcan_dev", "camcan_dev_fmri", "superconductivity"]:
        run(name)
