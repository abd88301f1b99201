"""How the program is cited: BibTeX and APA of ``CITATION.cff``, of the program and of the method it builds on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from brainpid.core.project import project_file

CITATION = "CITATION.cff"
PROGRAM = "brainpid"


def bibtex_entries() -> dict[str, str]:
    """BibTeX of the program and of the works it asks to cite with it, by key, the program first.

    Examples
    --------
    >>> list(bibtex_entries())
    ['brainpid', 'MaYu2025']
    """
    content = _read()
    works = {PROGRAM: content} | {_key(work): work for work in content["references"]}
    return {key: _bibtex(key, work) for key, work in works.items()}


def apa() -> list[str]:
    """References in the style of the APA, the program first."""
    content = _read()
    return [_apa(work) for work in (content, *content["references"])]


def citation_text() -> str:
    """What ``brainpid --citation`` prints: APA for a text, BibTeX for a list of references."""
    return "\n\n".join([_read()["message"], *apa(), *bibtex_entries().values()]) + "\n"


def _read() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(project_file(CITATION).read_text(encoding="utf-8"))
    return content


def _key(work: Mapping[str, Any]) -> str:
    """Key of a work: the family names of its authors and its year."""
    return "".join(author["family-names"] for author in work["authors"]) + str(work["year"])


def _identifier(work: Mapping[str, Any]) -> str:
    """Where a work is found, such as ``arXiv:2512.22102``; empty where it is not said."""
    return next((str(own["value"]) for own in work.get("identifiers", ())), "")


def _bibtex(key: str, work: Mapping[str, Any]) -> str:
    fields = {
        "author": " and ".join(_in_bibtex(author) for author in work["authors"]),
        "title": work["title"],
        "version": work.get("version"),
        "journal": _identifier(work),
        "year": work.get("year"),
    }
    kind = "software" if work["type"] == "software" else "article"
    return f"@{kind}{{{key}, " + ", ".join(f"{name}={{{text}}}" for name, text in fields.items() if text) + "}"


def _in_bibtex(author: Mapping[str, str]) -> str:
    """An author; the name of a group stands in braces of its own, so that it is not taken apart."""
    return f"{{{author['name']}}}" if "name" in author else f"{author['family-names']}, {author['given-names']}"


def _apa(work: Mapping[str, Any]) -> str:
    authors = _listed([_in_apa(author) for author in work["authors"]])
    version = f" (Version {work['version']})" if "version" in work else ""
    what = " [Computer software]" if work["type"] == "software" else ""
    place = f" {_identifier(work)}." if _identifier(work) else ""
    dot = "" if authors.endswith(".") else "."
    return f"{authors}{dot} ({work.get('year', 'n.d.')}). {work['title']}{version}{what}.{place}"


def _in_apa(author: Mapping[str, str]) -> str:
    if "name" in author:
        return author["name"]
    return f"{author['family-names']}, " + " ".join(f"{name[0]}." for name in author["given-names"].split())


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, & {names[-1]}"
