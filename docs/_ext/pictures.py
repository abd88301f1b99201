"""The pictures of the pages that explain: each computed by the package itself, none of it drawn by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.ridge import RidgeEncoder
from brainpid.crossfit.transforms import normal_scores
from brainpid.pid import decompose, decompose_covariance

COLOURS = {"unique t1": "#0072B2", "unique dwi": "#56B4E9", "redundant": "#999999", "synergy": "#D55E00"}
"""Okabe and Ito's, which are told apart by everybody."""
STYLE = {
    "font.size": 11.5, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "brainpid",
    "font.family": "DejaVu Sans", "svg.fonttype": "path",
}  # fmt: skip
CASES: Mapping[str, tuple[str, list[list[float]]]] = {
    "own": ("each tells something of its own", [[1, 0.6, 0.5], [0.6, 1, 0.3], [0.5, 0.3, 1]]),
    "unique": ("only T1 tells anything", [[1, 0.7, 0], [0.7, 1, 0], [0, 0, 1]]),
    "copy": ("DWI is a copy of T1", [[1, 0.7, 0.7], [0.7, 1, 1], [0.7, 1, 1]]),
    "suppressor": ("DWI tells what is wrong with T1", [[1, 0.7, 0], [0.7, 1, -0.6], [0, -0.6, 1]]),
}
"""Title, and covariance of the target, one T1 and one diffusion feature, in the order of the page."""
PEOPLE, FEATURES = 300, (2, 5, 10, 20, 40, 80, 120)
SEEDS = 5


def atoms(case: str, measure: str) -> dict[str, float]:
    """Bits of the four parts under a case's covariance."""
    found = decompose_covariance(CASES[case][1], {"t1": 1, "dwi": 1}, measure)
    return {
        "unique t1": found.atom("all", "t1", "unique").bits,
        "unique dwi": found.atom("all", "dwi", "unique").bits,
        "redundant": found.atom("all", "t1+dwi", "redundant").bits,
        "synergy": found.atom("all", "t1+dwi", "synergy").bits,
    }


def textbook() -> Figure:
    """The four cases side by side, under both measures."""
    figure = Figure(figsize=(7.6, 5.4), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    for axis, (case, (title, _)) in zip(axes.flat, CASES.items(), strict=True):
        for place, measure in enumerate(("idep", "mmi")):
            start = 0.0
            for part, bits in atoms(case, measure).items():
                axis.barh(place, bits, left=start, color=COLOURS[part], edgecolor="white", height=0.62)
                if bits > 0.12:
                    ink = "white" if part == "unique t1" else "black"
                    axis.text(start + bits / 2, place, f"{bits:.2f}", ha="center", va="center", color=ink)
                start += bits
        axis.set_yticks([0, 1], ["idep", "mmi"])
        axis.invert_yaxis()
        axis.set_title(title, loc="left", fontsize=12)
    for axis in axes[1]:
        axis.set_xlabel("information about age, bits")
    handles = [mpl.patches.Patch(color=colour) for colour in COLOURS.values()]
    figure.legend(handles, ["only T1", "only DWI", "redundant", "synergy"],
                  loc="outside upper center", ncols=4, frameon=False)  # fmt: skip
    return figure


def in_sample_readings() -> tuple[list[float], list[float]]:
    """Bits read from pure noise of `PEOPLE` people, in sample and out of fold, for each number of features."""
    inside, outside = [], []
    for p in FEATURES:
        read: list[list[float]] = [[], []]
        for seed in range(SEEDS):
            rng = np.random.default_rng(seed)
            age = rng.uniform(20, 80, PEOPLE)
            X = {m: rng.standard_normal((PEOPLE, p)) for m in ("t1", "dwi")}
            score = normal_scores(age)
            held_out = cross_fit(X, age[None], stratified_folds(age, 10, rng), RidgeEncoder(), seed=0)
            fitted = {m: (x @ np.linalg.lstsq(x, score, rcond=None)[0])[:, None] for m, x in X.items()}
            for own, latents in zip(read, (fitted, {m: z[0] for m, z in held_out.items()}), strict=True):
                own.append(decompose(latents, score).atom("all", "t1+dwi", "total").bits)
        inside.append(float(np.mean(read[0])))
        outside.append(float(np.mean(read[1])))
    return inside, outside


def in_sample() -> Figure:
    """Bits that are read from noise, over the number of features."""
    inside, outside = in_sample_readings()
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axis = figure.subplots()
    axis.plot(FEATURES, inside, "o-", color=COLOURS["synergy"], label="read from the people of the fit")
    axis.plot(FEATURES, outside, "s-", color=COLOURS["unique t1"], label="read from held-out people")
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set_xlabel(f"features of each modality, all of them noise ({PEOPLE} people)")
    axis.set_ylabel("information read, bits (truth: 0)")
    axis.legend(frameon=False)
    return figure


PICTURES = {"textbook": textbook, "in_sample": in_sample}


def write(folder: Path) -> None:
    """Draw what is not drawn yet, or was drawn by another version of this file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        path = folder / f"{name}.svg"
        if path.exists() and path.stat().st_mtime > Path(__file__).stat().st_mtime:
            continue
        with mpl.rc_context(STYLE):
            draw().savefig(path, metadata={"Date": None})
