"""The README's figure shows the numbers of a run, with what was planted."""

from __future__ import annotations

import importlib.util
import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_pages import accuracy, pid, tables
from report_tables import SETTINGS

from brainpid.core.errors import InputError
from brainpid.report.figures import to_svg

PATH = Path(__file__).parents[3] / "docs/figures.py"
SPEC = importlib.util.spec_from_file_location("docs_figures", PATH)
assert SPEC is not None
assert SPEC.loader is not None
script = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(script)


@pytest.fixture
def run(tmp_path) -> Path:
    """Output folder of a small run of a cohort with a known truth."""
    (tmp_path / "aggregate").mkdir()
    found = {"pid": pid(), "accuracy": accuracy(("a",)), "predictions": tables()["predictions"]}
    for name, table in found.items():
        table.to_csv(tmp_path / f"aggregate/{name}.tsv", sep="\t", index=False, na_rep="n/a")
    rows = [
        {"scope": "one_vs_rest", "modalities": modality, "atom": atom, "bits": bits}
        for modality in SETTINGS.modalities
        for atom, bits in (("total", 1.25), ("alone", 0.75), ("added", 0.25))
    ]
    rows.append({"scope": "all", "modalities": "t1+dwi", "atom": "total", "bits": 1.25})
    (tmp_path / "truth.json").write_text(json.dumps({"decomposition": {"idep": rows}}))
    return tmp_path


def overview(run: Path):
    return script.overview(run, SETTINGS.model_copy(update={"data_folders": {"a": str(run)}}))


def test_points_stand_at_the_bits_and_diamonds_at_the_truth(run):
    left, _ = overview(run).axes
    drawn = {(float(line.get_xdata()[0]), line.get_marker(), line.get_markerfacecolor()) for line in left.get_lines()
             if len(line.get_xdata()) == 1}  # fmt: skip
    points = {x for x, _, colour in drawn if colour != "white"}
    diamonds = {x for x, _, colour in drawn if colour == "white"}
    assert points == {1.5, 0.875, 0.30, 0.005}
    assert diamonds == {1.25, 0.75, 0.25}
    labels = [text.get_text() for text in left.figure.legends[0].get_texts()]
    assert labels[-2:] == ["planted truth", "95% interval"]


def test_bars_are_the_errors_of_the_models_and_of_the_mean_age(run):
    _, right = overview(run).axes
    assert [bar.get_width() for bar in right.patches] == [7.25, 6.5, 10.0]  # ages 30, 40, 50, 60
    assert [label.get_text() for label in right.get_yticklabels()] == ["PIDReg", "Ridge", "mean age\nof everybody"]


def test_the_figure_is_small_and_needs_nothing_else(run):
    svg = to_svg(overview(run))
    ET.fromstring(svg)
    assert len(svg) < 100_000
    assert "<image" not in svg
    assert svg == to_svg(overview(run))


def test_a_run_that_is_not_there_is_said(tmp_path):
    sources = {name: {"kind": "table", "path": f"{name}.tsv"} for name in ("t1", "dwi")}
    config = {"output_dir": "nowhere", "modalities": ["t1", "dwi"],
              "cohorts": {"a": {"participants": "p.tsv", "sources": sources}}}  # fmt: skip
    (tmp_path / "c.yaml").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"nowhere/report.html is not there: run .*c.yaml first"):
        script.main([str(tmp_path / "c.yaml"), "--out", str(tmp_path)])


def test_a_screenshot_keeps_few_colours(tmp_path):
    grey = np.linspace(0, 255, 300).astype(np.uint8)
    script.write_png(tmp_path / "x.png", Image.fromarray(np.dstack([np.tile(grey, (20, 1))] * 3)))
    found = Image.open(tmp_path / "x.png")
    assert found.mode == "P"
    assert len(found.getcolors()) <= script.MOST_COLOURS


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium") or not shutil.which("gs"), reason="no Chromium or no Ghostscript")
def test_screenshots_have_the_size_of_the_window_and_of_two_sheets(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<style>@page { size: A4 }</style><body style="margin:0;height:3000px;background:#00f">' + "<p>words</p>" * 200
    )
    shot = script.screenshot(shutil.which("chromium"), page, (400, 700), tmp_path)
    assert shot.size == (400, 700)
    assert shot.getpixel((399, 5)) == (0, 0, 255)
    sheets = script.printed(shutil.which("chromium"), shutil.which("gs"), page, tmp_path, pages=2)
    assert sheets.width == pytest.approx(2 * 8.27 * script.DOTS_PER_INCH + 36, abs=3)
