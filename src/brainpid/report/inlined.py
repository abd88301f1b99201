"""What a page of one file holds: figures and files of this package."""

from __future__ import annotations

import html
import re
from functools import cache
from importlib import resources

ID_OR_LINK = re.compile(r'(?<=\bid=")|(?<=href="#)|(?<=url\(#)')


@cache
def packaged(path: str) -> str:
    """Text of a file of this package."""
    return resources.files("brainpid").joinpath(path).read_text(encoding="utf-8")


def inline(name: str, svg: str, alternative: str) -> str:
    """Make an SVG file part of a page: no prolog, ids that no other figure has, and words for who does not see it."""
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return ID_OR_LINK.sub(f"{name}-", body).replace(
        "<svg", f'<svg role="img" aria-label="{html.escape(alternative)}"', 1
    )
