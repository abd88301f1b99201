"""The figures of README and docs, made from a finished run: the demonstration unless another configuration is named.

Run ``python docs/figures.py [CONFIG]`` from the project's root. It writes into ``docs/figures``:

- ``demo.svg``: what each modality contributes, with the planted truth, beside the error of the models;
- ``report_1400.png``, ``report_400.png``, ``report_a4.png``: the report in a window, on a telephone and printed. They
  need Chromium, and the last one Ghostscript.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from brainpid.cohort.truth import read_truths
from brainpid.config.schema import load_config
from brainpid.config.slices import ReportSettings
from brainpid.core.errors import InputError
from brainpid.core.files import read_own_tsv, write_text
from brainpid.core.names import LOG_SCORE_ESTIMATOR
from brainpid.evaluation.random_effects import POOLED
from brainpid.report.figures import COLOURS, STYLE, to_svg
from brainpid.report.forest import draw_contributions
from brainpid.report.information import headline_cohort, told_and_added
from brainpid.report.words import LABELS

OUT = Path(__file__).parent / "figures"
MOST_COLOURS = 128
"""Of the palette of a screenshot."""
WINDOW, PHONE = (1400, 2000), (400, 1600)
"""Pixels of the screenshots."""
DOTS_PER_INCH = 80
CARD = {"facecolor": "white", "edgecolor": "#D0D7DE", "linewidth": 1}
"""A light card behind everything: text is as legible on a dark page as on a white one."""


def overview(folder: Path, settings: ReportSettings) -> Figure:
    """What each modality contributes, and beside it the mean absolute error of every model and of the mean age.

    Parameters
    ----------
    folder : Path
        Output folder of a finished run.
    settings : ReportSettings
        What was run.
    """
    pid, accuracy = (read_own_tsv(folder / f"aggregate/{name}.tsv") for name in ("pid", "accuracy"))
    rows = told_and_added(pid, settings.models[0], LOG_SCORE_ESTIMATOR)
    rows = rows[rows["cohort"] == headline_cohort(rows)]
    truth = read_truths(settings.data_folders, settings.modalities, POOLED)
    name, units = settings.target.column, settings.target.units
    with mpl.rc_context(STYLE | {"font.size": 11}):
        figure = Figure(figsize=(10.4, 0.55 * len(settings.modalities) + 2.2), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.16, h_pad=0.16)
        left, right = figure.subplots(1, 2, width_ratios=(1.6, 1))
        draw_contributions(left, rows, settings.modalities, truth)
        n = int(rows["n"].iloc[0])
        left.set_title(f"Bits about {name} in held-out predictions (n = {n})", loc="left", fontsize=12)
        left.plot([], [], color="#333333", linewidth=2.2, label=f"{100 * settings.pid.confidence:g}% interval")
        figure.legend(loc="outside lower center", ncols=4, frameon=False, borderaxespad=0.9)
        _errors(right, accuracy, read_own_tsv(folder / "aggregate/predictions.tsv"), settings)
        right.set_title(f"Mean absolute error ({units})", loc="left", fontsize=12)
    figure.patch.set_alpha(0)
    figure.add_artist(
        FancyBboxPatch((0, 0), 1, 1, boxstyle="round,pad=0,rounding_size=0.01", transform=figure.transFigure,
                       zorder=-1, **CARD)
    )  # fmt: skip
    for ax in (left, right):
        ax.patch.set_alpha(0)
    return figure


def _errors(ax: Axes, accuracy: pd.DataFrame, predictions: pd.DataFrame, settings: ReportSettings) -> None:
    """One bar a model, with its interval over people, and one for the mean of everybody as the prediction."""
    everything = "+".join(settings.modalities)
    rows = accuracy[accuracy["modalities"] == everything]
    rows = rows[rows["cohort"] == headline_cohort(rows)].set_index("model").loc[list(settings.models)]
    complete = predictions[predictions["modalities"] == everything].drop_duplicates(["cohort", "participant_id"])
    mean = float((complete["age"] - complete["age"].mean()).abs().mean())
    names = [*(LABELS[model] for model in settings.models), f"mean {settings.target.column}\nof everybody"]
    values = np.array([*rows["mae"], mean])
    ends = np.abs(rows[["mae_ci_low", "mae_ci_high"]].to_numpy().T - rows["mae"].to_numpy())
    ax.barh(range(len(values)), values, height=0.6, color=[COLOURS[2], *["#9AA5AE"] * (len(values) - 1)])
    ax.errorbar(rows["mae"], range(len(rows)), xerr=ends, fmt="none", ecolor="#333333", capsize=3)
    edges = [*rows["mae_ci_high"].fillna(rows["mae"]), mean]
    for place, (value, edge) in enumerate(zip(values, edges, strict=True)):
        ax.text(edge + 0.02 * max(edges), place, f"{value:.1f}", va="center")
    ax.set_yticks(range(len(values)), names)
    ax.set_xlim(0, 1.12 * max(edges))
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)


def screenshot(chromium: str, page: Path, size: tuple[int, int], folder: Path) -> Image.Image:
    """The upper end of a page in a window of so many pixels.

    No window of a headless Chromium is narrower than 500 pixels: the page is shown in a frame of the wanted width.
    """
    width, height = size
    frame = folder / "frame.html"
    frame.write_text(
        f'<body style="margin:0"><iframe src="{page.resolve().as_uri()}" '
        f'style="width:{width}px;height:{height}px;border:0"></iframe>',
        encoding="utf-8",
    )
    out = folder / "shot.png"
    _browse(chromium, folder, f"--window-size={max(width, 500)},{height}", "--hide-scrollbars", f"--screenshot={out}",
            frame.as_uri())  # fmt: skip
    return Image.open(out).convert("RGB").crop((0, 0, width, height))


def printed(chromium: str, ghostscript: str, page: Path, folder: Path, pages: int) -> Image.Image:
    """The first pages of the printed page, side by side."""
    pdf = folder / "page.pdf"
    _browse(chromium, folder, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.resolve().as_uri())
    command = [
        ghostscript, "-q", "-dSAFER", "-sDEVICE=png16m", f"-r{DOTS_PER_INCH}", "-dTextAlphaBits=4",
        "-dGraphicsAlphaBits=4", f"-dLastPage={pages}", "-o", f"{folder}/page_%02d.png", str(pdf),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    sheets = [Image.open(path).convert("RGB") for path in sorted(folder.glob("page_*.png"))]
    gap = 12
    both = Image.new("RGB", (sum(sheet.width + gap for sheet in sheets) + gap, sheets[0].height + 2 * gap), "#8A939B")
    for place, sheet in enumerate(sheets):
        both.paste(sheet, (gap + place * (sheet.width + gap), gap))
    return both


def _browse(chromium: str, folder: Path, *options: str) -> None:
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
               "--virtual-time-budget=3000", *options]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)


def write_png(path: Path, image: Image.Image) -> None:
    """Write with a palette: a drawing has few colours."""
    data = io.BytesIO()
    image.quantize(MOST_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        data, format="PNG", optimize=True
    )
    path.write_bytes(data.getvalue())


def found(*names: str) -> str:
    """Path of the first of these programs that is installed.

    Raises
    ------
    InputError
        Where none is.
    """
    paths = [path for path in map(shutil.which, names) if path]
    if not paths:
        raise InputError(f"the screenshots need {names[0]}, which is not installed; demo.svg is written")
    return paths[0]


def main(words: Sequence[str] | None = None) -> None:
    """Write all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default="config/demo.yaml", help="configuration of a finished run")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write into")
    args = parser.parse_args(words)
    config = load_config(args.config)
    folder, settings = Path(config.output_dir), ReportSettings.of(config)
    page = folder / "report.html"
    if not page.is_file():
        raise InputError(f"{page} is not there: run {args.config} first (make demo)")
    args.out.mkdir(parents=True, exist_ok=True)
    write_text(args.out / "demo.svg", to_svg(overview(folder, settings)))
    chromium, ghostscript = found("chromium", "chromium-browser", "google-chrome"), found("gs")
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        write_png(args.out / "report_1400.png", screenshot(chromium, page, WINDOW, place))
        write_png(args.out / "report_400.png", screenshot(chromium, page, PHONE, place))
        write_png(args.out / "report_a4.png", printed(chromium, ghostscript, page, place, pages=2))


if __name__ == "__main__":
    try:
        main()
    except InputError as fault:
        raise SystemExit(f"docs/figures.py: {fault}") from fault
