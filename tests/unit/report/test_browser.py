"""The page in a browser: readable on a telephone and without scripts, printable, legible, quiet.

It is a small page with its figures; there is no run of the workflow. Without a Chromium there is nothing to test.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pandas as pd
import pytest
from report_pages import pid, raw_page, tables
from report_tables import SETTINGS

from brainpid.core.names import LOG_SCORE_ESTIMATOR
from brainpid.report import figures
from brainpid.report.forest import contributions
from brainpid.report.pad_figure import brain_pad, pads, people_of_pads
from brainpid.report.page import SECTIONS, QCImage

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"), pytest.mark.slow]
PHONE = """<script>
document.documentElement.style.width = "400px";
const blocks = Array.from(document.querySelectorAll(
  "nav, main, main p, main figure, .scroll, h1, h2, h3, li, dd, pre, .filter, summary"));
const wide = blocks.filter(function (block) { return block.getBoundingClientRect().right > 400; });
report({wide: wide.map(function (block) { return block.outerHTML.slice(0, 80); }), n: blocks.length});
</script>"""
CLICKS = """<script>
const told = {}, table = document.querySelector("#accuracy table"), heading = table.tHead.rows[0].cells[3];
function column() { return Array.from(table.tBodies[0].rows, function (row) { return row.cells[3].textContent; }); }
told.before = column(); heading.click(); told.rising = column(); heading.click(); told.falling = column();
const input = document.querySelector(".filter input");
const long = input.closest("label").nextElementSibling.querySelector("table");
input.value = "SUB-1 no"; input.dispatchEvent(new Event("input"));
told.kept = Array.from(long.tBodies[0].rows).filter(function (row) { return !row.hidden; })
  .map(function (row) { return row.cells[1].textContent; });
const picture = document.querySelector(".qc_images figure"), small = picture.offsetWidth;
document.getElementById("worth").open = false;
location.hash = picture.id;
setTimeout(function () {
  told.larger = picture.offsetWidth / small;
  location.hash = "worth";
  setTimeout(function () { told.open = document.getElementById("worth").open; report(told); }, 200);
}, 200);
</script>"""
LEGIBLE = """<script>
function light(text) {
  const parts = text.match(/[\\d.]+/g).map(Number);
  if (parts.length > 3 && parts[3] === 0) return null;
  const [r, g, b] = parts.slice(0, 3).map(function (v) {
    v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function behind(element) {
  for (let one = element; one; one = one.parentElement) {
    const found = light(getComputedStyle(one).backgroundColor);
    if (found !== null) return found;
  }
  return 1;
}
for (const own of document.querySelectorAll("details")) own.open = true;
const faint = [];
let n = 0;
for (const one of document.querySelectorAll("body *:not(script):not(style)")) {
  const within = one.closest("svg");
  const words = Array.from(one.childNodes).filter(function (node) { return node.nodeType === 3; });
  const text = words.some(function (node) { return node.textContent.trim(); });
  if (!text || (within && one.tagName !== "text")) continue;
  n += 1;
  const style = getComputedStyle(one), ink = light(within ? style.fill : style.color), paper = behind(one);
  const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  if (ratio < 4.5) faint.push(one.outerHTML.slice(0, 80) + " " + ratio.toFixed(2));
}
report({faint, n});
</script>"""
CATCH = """<script>window.errors = [];
addEventListener("error", function (e) { errors.push(e.message); });
for (const kind of ["error", "warn"]) console[kind] = function (words) { errors.push(String(words)); };
function report(told) {
  told.errors = errors;
  told.requests = performance.getEntriesByType("resource").map(function (one) { return one.name; });
  document.body.textContent = "TOLD" + btoa(unescape(encodeURIComponent(JSON.stringify(told)))) + "END";
}</script>"""


def picture() -> str:
    """A grey PNG of 4 by 3 pixels, as base64."""
    rows = b"".join(b"\0" + b"\x80" * 4 for _ in range(3))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 4, 3, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(png).decode()


@pytest.fixture(scope="module")
def html() -> str:
    """A page with figures, pictures and a long table."""
    found = tables()
    left = pd.DataFrame(
        {"participant_id": [f"sub-1{k:02d}" for k in range(15)], "cohort": "a", "t1_status": "FAIL",
         "dwi_status": "FAIL", "t1_reason": "none", "dwi_reason": "none", "included": False,
         "reason": "no T1w image; look into the folder"}
    )  # fmt: skip
    found["participants"] = pd.concat([found["participants"].assign(sex="F"), left], ignore_index=True)
    people = pads(found["predictions"], found["participants"])
    drawn = {
        "contributions": figures.to_svg(contributions(pid(), "pidreg", ("t1", "dwi"), LOG_SCORE_ESTIMATOR)),
        "predicted_age": figures.to_svg(
            figures.predicted_age(found["predictions"], ("pidreg",), "age (years)"),
            figures.people_of_dots(found["predictions"], "years"),
        ),
        "brain_pad": figures.to_svg(brain_pad(people, 0.95, "age", "years"), people_of_pads(people, "years")),
        "modalities": figures.to_svg(figures.modalities(pid(), "pidreg", ("t1", "dwi"), LOG_SCORE_ESTIMATOR)),
        "importance": figures.to_svg(figures.importance(found["importance"], "years")),
        "selection": figures.to_svg(figures.selection(found["selection"], "age", "years")),
    }
    looks = [QCImage("t1", "a", f"sub-{k}", "at random", "", picture()) for k in range(8)]
    settings = SETTINGS.model_copy(update={"image_modalities": ("t1",)})
    return raw_page(found, settings, looks, said=["a t1: the first of 2 runs"], drawn=drawn)


@pytest.fixture(scope="module")
def shown(html, tmp_path_factory):
    """Show a page in a headless Chromium and return what its probe reports."""
    folder = tmp_path_factory.mktemp("browser")

    def told(probe: str, width: int = 1400) -> dict:
        page = html.replace("<head>", "<head>" + CATCH, 1).replace("</body>", probe + "</body>")
        done = browse(folder, page, "--dump-dom", f"--window-size={width},900", "--virtual-time-budget=3000")
        found = re.search(r"TOLD(\S+)END", done)
        assert found, done[-500:]
        return json.loads(base64.b64decode(found[1]))

    return told


def browse(folder: Path, page: str, *options: str) -> str:
    (folder / "page.html").write_text(page, encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", *options,
        f"file://{folder}/page.html",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_nothing_is_wider_than_a_telephone(shown):
    told = shown(PHONE, 500)  # no headless window is narrower; the page is
    assert told["wide"] == []
    assert told["n"] > 50


def test_tables_sort_and_filter_links_open_and_pictures_enlarge(shown):
    told = shown(CLICKS)
    assert told["before"] == ["7.25", "6.50"]
    assert told["rising"] == ["6.50", "7.25"]
    assert told["falling"] == ["7.25", "6.50"]
    assert told["kept"] == [f"sub-1{k:02d}" for k in range(15)]  # not sub-0, who has no age
    assert told["open"] is True
    assert told["larger"] > 2
    assert told["errors"] == []
    assert told["requests"] == []


def test_every_text_stands_out_from_what_is_behind_it(shown):
    told = shown(LEGIBLE)
    assert told["faint"] == []
    assert told["n"] > 200


def without_scripts(page: str) -> str:
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_without_scripts_every_section_is_there_and_every_picture_opens(html, tmp_path):
    done = browse(tmp_path, without_scripts(html), "--dump-dom")
    ids = set(re.findall(r'<details class="section" id="(\w+)" open', done))
    assert ids == set(SECTIONS) - {"elsewhere", "groups"}  # of several schemes, or groups
    targets, places = set(re.findall(r'href="#([^"]+)"', done)), set(re.findall(r' id="([^"]+)"', done))
    assert targets <= places
    assert {f"picture-t1-{k}" for k in range(1, 9)} <= targets


def printed(folder: Path, page: str) -> tuple[int, tuple[int, int]]:
    """Pages of the printed page, and the size of the first in points."""
    out = folder / "page.pdf"
    browse(folder, page, f"--print-to-pdf={out}", "--no-pdf-header-footer")
    written = out.read_bytes()
    width, height = re.findall(rb"/MediaBox\s*\[([^\]]*)\]", written)[0].split()[2:]
    return len(re.findall(rb"/Type\s*/Page\b", written)), (round(float(width)), round(float(height)))


def test_it_prints_to_a4_with_everything_unfolded_with_and_without_scripts(html, tmp_path):
    pages, size = printed(tmp_path, html)
    assert size == (595, 842)
    assert 4 <= pages <= 12
    folded = re.sub(r"(<details[^>]*) open>", r"\1>", without_scripts(html))
    assert printed(tmp_path, folded) == (pages, size)
    left = folded.replace("details:not([open])::details-content", "details.none")
    assert printed(tmp_path, left)[0] < pages  # so that this can fail


def test_no_block_is_wider_than_the_printed_page(html, tmp_path):
    page = html.replace("@media print", "@media all").replace("<head>", "<head>" + CATCH, 1)
    probe = PHONE.replace("400", "680").replace('"nav, main,', '"main, table, svg,')
    done = browse(tmp_path, page.replace("</body>", probe + "</body>"), "--dump-dom", "--window-size=680,900")
    told = json.loads(base64.b64decode(re.search(r"TOLD(\S+)END", done)[1]))
    assert told["wide"] == []
