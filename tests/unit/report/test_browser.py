"""The page in a browser: nothing wider than a telephone, no error, tables that sort. Where there is a Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from report_pages import raw_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
PROBE = """<script>
document.documentElement.style.width = "400px";
const blocks = Array.from(document.querySelectorAll(
  "nav, main, main p, main figure, .scroll, h1, h2, h3, li, dd, pre"));
const wide = blocks.filter(function (block) { return block.getBoundingClientRect().right > 400; });
const told = {wide: wide.map(function (block) { return block.outerHTML.slice(0, 80); }), n: blocks.length, errors};
const table = document.querySelector("#accuracy table"), heading = table.tHead.rows[0].cells[3];
function column() { return Array.from(table.tBodies[0].rows, function (row) { return row.cells[3].textContent; }); }
told.before = column(); heading.click(); told.rising = column(); heading.click(); told.falling = column();
document.getElementById("worth").open = false; location.hash = "worth";
setTimeout(function () {
  told.open = document.getElementById("worth").open;
  document.body.innerHTML = "<pre id=told>" + JSON.stringify(told) + "</pre>";
}, 200);
</script>"""
CATCH = "<script>window.errors = []; addEventListener('error', function (e) { errors.push(e.message); });</script>"


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict:
    """What the page finds in itself when it is 400 pixels wide, less than any window of a headless Chromium."""
    folder = tmp_path_factory.mktemp("browser")
    html = raw_page().replace("<head>", "<head>" + CATCH, 1).replace("</body>", PROBE + "</body>")
    (folder / "page.html").write_text(html, encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,900",
        "--virtual-time-budget=3000", f"--user-data-dir={folder}/profile", "--dump-dom", f"file://{folder}/page.html",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout)
    assert found, done.stdout[-500:]
    return json.loads(found[1])


def test_no_error_and_nothing_wider_than_a_telephone(told):
    assert told["errors"] == []
    assert told["wide"] == []
    assert told["n"] > 50


def test_a_click_sorts_and_another_turns_the_order(told):
    assert told["before"] == ["7.25", "6.50"]
    assert told["rising"] == ["6.50", "7.25"]
    assert told["falling"] == ["7.25", "6.50"]


def test_a_link_opens_the_section_that_it_leads_to(told):
    assert told["open"] is True
