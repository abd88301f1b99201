"""Cost and accuracy of a training over the number of people, on simulated brains: 221 features in two modalities.

Features follow bent curves of age, and people differ along 40 shared directions. Prints a Markdown table: CPU seconds
of a fit with intervals, in one thread, and the mean absolute error in years of 2,000 other people; and draws it as
``docs/inside/accuracy_and_cost.svg``.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from brainpid.core.arrays import FloatArray
from brainpid.model.registry import MODELS
from brainpid.report.figures import COLOURS, STYLE, to_svg

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "inside" / "accuracy_and_cost.svg"
SIZES = (250, 500, 980, 1020, 2000, 3000, 5000, 10_000)
FEATURES, SHARED, NEW = 221, 40, 2000
COMPARED = {"ridge": 10_000, "gpr": 3000, "gradient_boosting": 3000, "stacking": 2000, "pidreg": 10_000}
"""Largest number of people that a model is trained on here."""


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    slopes, bends = rng.normal(0, 0.15, FEATURES), rng.normal(0, 0.05, FEATURES)
    shared = rng.normal(0, 0.15, (SHARED, FEATURES))

    def people(n: int) -> tuple[dict[str, FloatArray], FloatArray]:
        age = rng.uniform(20, 80, n)
        t = (age - 50)[:, None] / 17
        features = t * slopes + t**2 * bends + rng.normal(size=(n, SHARED)) @ shared + rng.normal(size=(n, FEATURES))
        return {"t1": features[:, ::2], "dwi": features[:, 1::2]}, age

    new, age = people(NEW)
    everybody, ages = people(max(SIZES))
    labels = [MODELS[name].label for name in COMPARED]
    print("| people | " + " | ".join(f"{label}: CPU s | MAE (years)" for label in labels) + " |")
    print("|---|" + "---|" * 2 * len(COMPARED))
    found: dict[str, list[tuple[int, float, float]]] = {name: [] for name in COMPARED}
    for n in SIZES:
        cells = []
        for name, largest in COMPARED.items():
            if n > largest:
                cells += ["", ""]
                continue
            model = MODELS[name].load_class()(random_state=0)
            start = time.process_time()
            model.fit({m: block[:n] for m, block in everybody.items()}, ages[:n])
            spent = time.process_time() - start
            error = float(np.abs(model.predict(new) - age).mean())
            found[name].append((n, spent, error))
            cells += [f"{spent:.1f}", f"{error:.2f}"]
        print(f"| {n} | " + " | ".join(cells) + " |", flush=True)
    FIGURE.write_text(to_svg(drawn(found)), encoding="utf-8")


def drawn(found: dict[str, list[tuple[int, float, float]]]) -> Figure:
    """Error and cost of every model over the number of people."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        for ax, column, label in zip(
            figure.subplots(1, 2), (2, 1), ("mean absolute error (years)", "CPU seconds a training"), strict=True
        ):
            for colour, (name, rows) in zip(COLOURS, found.items(), strict=False):
                people, values = [row[0] for row in rows], [row[column] for row in rows]
                ax.plot(people, values, "o-", color=colour, markersize=4, label=MODELS[name].label)
            ax.set_xscale("log")
            ax.set_xticks([250, 500, 1000, 2000, 5000, 10_000])
            ax.xaxis.set_major_formatter("{x:,.0f}")
            ax.xaxis.set_minor_locator(NullLocator())
            ax.set_xlabel("training people")
            ax.set_ylabel(label)
            if column == 1:
                ax.set_yscale("log")
                ax.yaxis.set_major_formatter("{x:g}")
        handles, labels = ax.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(found), frameon=False)
    return figure


if __name__ == "__main__":
    main()
