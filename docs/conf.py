"""Configuration of the documentation site; ``make site`` builds it without network, warnings are errors."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))

import pictures  # noqa: E402
import reference_pages  # noqa: E402

from brainpid import __version__  # noqa: E402

project = "brainpid"
author = "The brainpid developers"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "sphinxarg.ext",
]
templates_path = ["_templates"]
exclude_patterns = ["_generated", "_templates", "gallery"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
highlight_language = "none"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Every class and function has a page of its own, made from its docstring.
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc says types, with shapes
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
default_role = "code"  # single backticks of docstrings are code or names of the package

GENERATED = DOCS / "_generated"

html_theme = "pydata_sphinx_theme"
html_title = "brainpid"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "show_toc_level": 2,
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
html_sidebars = {"index": []}

# The gallery: scripts of docs/gallery, each of them run.
if list((DOCS / "gallery").glob("plot_*.py")):
    extensions.append("sphinx_gallery.gen_gallery")
    sphinx_gallery_conf = {
        "examples_dirs": "gallery",
        "gallery_dirs": "examples",
        "filename_pattern": r"plot_",
        "within_subsection_order": "gallery_order.InOrder",
        "download_all_examples": False,
        "show_signature": False,
        "remove_config_comments": True,
        "write_computation_times": False,
        "plot_gallery": True,
        "abort_on_example_error": True,
    }
else:
    suppress_warnings = ["toc.not_readable"]  # there is no gallery without a script


def setup(app: Sphinx) -> None:
    """Make the generated parts before the pages are looked for."""
    app.connect("builder-inited", lambda _: _generate())


def _generate() -> None:
    reference_pages.write(GENERATED)
    pictures.write(GENERATED)
