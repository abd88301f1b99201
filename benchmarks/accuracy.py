"""Accuracy on real tables: every model on the same splits, with its cost and the paired difference from the first.

Runs the workflow on the configurations under ``tests/configs`` and prints one Markdown table each. Below stand the
baselines of the folder that holds the data; they were made with other splits and with complete cells only, and are
shown for orientation. Skips where the data is absent.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from brainpid.config.schema import Config, load_config
from brainpid.model.registry import MODELS

ROOT = Path(__file__).resolve().parents[1]


def run(name: str) -> None:
    """Run one configuration and print its table."""
    path = ROOT / "tests" / "configs" / f"{name}.yaml"
    config = load_config(path)
    data = (ROOT / next(iter(config.cohorts.values())).participants).parent
    if not data.is_dir():
        print(f"{name}: skipped, {data} is absent")
        return
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", str(path), "--quiet", "all"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    print_table(config, ROOT / config.output_dir)
    for label, row in json.loads((data / "baselines.json").read_text()).items():
        print(f"| folder's {label} | {row['n']} | {row['MAE']:.2f} | | | {row['RMSE']:.2f} | {row['R2']:.3f} | | |")


def print_table(config: Config, output: Path) -> None:
    """Print what a finished run found, models with every modality in one row each."""
    units, coverage = config.target.units, config.interval_coverage
    print(
        f"| model | n | MAE ({units}) | 95% interval | {MODELS[config.models[0]].label} minus it | RMSE | R2 | "
        f"{coverage:.0%} intervals cover | CPU s a training |\n|---|---|---|---|---|---|---|---|---|"
    )
    accuracy, comparison, predictions = (
        pd.read_csv(output / f"aggregate/{table}.tsv", sep="\t", na_values="n/a")
        for table in ("accuracy", "comparison", "predictions")
    )
    complete = accuracy[accuracy["modalities"] == "+".join(config.modalities)]
    table = complete.merge(comparison, on=["cohort", "model"], how="left", suffixes=("", "_pair"))
    for row in table.itertuples():
        costs = [
            pd.read_csv(file, sep="\t")["cpu_time"]
            for file in (output / "benchmarks/train").glob(f"{row.model}_repeat-*")
        ]
        pair = f"{row.difference:+.2f} [{row.ci_low:+.2f}, {row.ci_high:+.2f}]" if pd.notna(row.difference) else ""
        own = predictions.query("model == @row.model and modalities == @row.modalities")
        covered = own["age"].between(own["pi_low"], own["pi_high"]).mean()
        print(
            f"| {MODELS[row.model].label} | {row.n} | {row.mae:.2f} | {row.mae_ci_low:.2f} to {row.mae_ci_high:.2f} | "
            f"{pair} | {row.rmse:.2f} | {row.r2:.3f} | {covered:.1%} | {pd.concat(costs).mean():.1f} |"
        )


if __name__ == "__main__":
    for name in sys.argv[1:] or ["camcan_dev", "camcan_dev_fmri", "superconductivity"]:
        run(name)
