"""The generated parts of the reference: Markdown and reStructuredText from the code itself."""

from __future__ import annotations

import re
from pathlib import Path

from brainpid.cli import VERBS
from brainpid.config.reference import reference
from brainpid.report.output_tables import OUTPUT_TABLES, OutputTable

RULES = Path(__file__).parents[2] / "workflow" / "rules"


def steps() -> list[str]:
    """Verbs that the rules of the workflow call; people start the others by hand."""
    text = "".join(path.read_text(encoding="utf-8") for path in RULES.glob("*.smk"))
    called = set(re.findall(r"\bbrainpid ([a-z]+)\b", text))
    return [verb for verb in VERBS if verb in called]


def configuration() -> str:
    """Every key of the configuration, as Markdown, without the title."""
    text = reference().partition("\n")[2]
    return re.sub(r"(?m)^## `(.*?)`(.*)$", _heading, text)


def _heading(found: re.Match[str]) -> str:
    """A heading that fits into a table of contents, with what the section is below it."""
    place, rest = found.groups()
    kind, _, meaning = rest.partition(": ")
    meaning = meaning.rstrip(".")
    return f"## `{place}`{kind}\n\n{meaning[:1].upper()}{meaning[1:]}."


def command_line() -> str:
    """Every verb, as reStructuredText for sphinx-argparse: those that people start first."""
    parts, of_rules = [], steps()
    for title, verbs in (
        ("Started by hand", [verb for verb in VERBS if verb not in of_rules]),
        ("Steps of the workflow", of_rules),
    ):
        parts.append(f"{title}\n{'=' * len(title)}\n")
        parts += [_verb(verb) for verb in verbs]
    return "\n".join(parts)


def _verb(verb: str) -> str:
    """Heading and options of one verb."""
    title = f"brainpid {verb}"
    options = {"module": "brainpid.cli", "func": "whole_parser", "prog": "brainpid", "path": verb}
    lines = [f"   :{name}: {value}" for name, value in options.items()]
    return "\n".join([title, "-" * len(title), "", ".. argparse::", *lines, ""])


def output_columns() -> str:
    """Every column of every output table, as Markdown."""
    return "\n".join(_columns(table) for table in OUTPUT_TABLES)


def _columns(table: OutputTable) -> str:
    """One table's columns."""
    title = table.path if "`" in table.path else f"`{table.path}`"
    rows = [
        f"| `{column.name}` | {column.kind} | {column.unit} | {column.meaning[:1].upper()}{column.meaning[1:]} |"
        for column in table.columns
    ]
    content = f"{table.content[:1].upper()}{table.content[1:]}."
    return "\n".join(
        [f"## {title}\n", content, "", "| column | type | unit | meaning |", "|---|---|---|---|", *rows, ""]
    )


def write(folder: Path) -> None:
    """Write the generated parts into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "configuration.md": configuration(),
        "command_line.rst": command_line(),
        "output_columns.md": output_columns(),
    }
    for name, text in parts.items():
        (folder / name).write_text(text, encoding="utf-8")
