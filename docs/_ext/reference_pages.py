"""The generated parts of the reference: Markdown and reStructuredText from the code itself."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from brainpid.cli import VERBS, whole_parser
from brainpid.config.reference import reference
from brainpid.report.described import OutputTable
from brainpid.report.output_tables import OUTPUT_TABLES

RULES = Path(__file__).parents[2] / "workflow" / "rules"

MARKUP = r"([*|])"


def steps() -> list[str]:
    """Verbs that the rules of the workflow call; people start the others by hand."""
    text = "".join(path.read_text(encoding="utf-8") for path in RULES.glob("*.smk"))
    called = set(re.findall(r"\bbrainpid ([a-z]+) --", text))
    return [verb for verb in VERBS if verb in called]


def configuration() -> str:
    """Every key of the configuration, as Markdown without the title; keys without the place that heads their table."""
    introduction, *sections = reference().partition("\n")[2].split("\n## ")
    return "\n".join([introduction, *map(_section, sections)])


def _section(text: str) -> str:
    """One section, under a heading that fits into a table of contents, with what it is below."""
    heading, _, table = text.partition("\n")
    if (found := re.fullmatch(r"`(.+?)`(, kind `\w+`)?: (.*)", heading)) is None:
        return f"## {heading}\n{table}"
    place, kind, meaning = found.groups(default="")
    meaning = f"{meaning[:1].upper()}{meaning[1:].rstrip('.')}."
    table = table.replace(f"| `{place}.", "| `")
    if kind:
        return f"## {kind.removeprefix(', ').capitalize()}\n\nBelow `{place}`. {meaning}\n{table}"
    return f"## `{place}`\n\n{meaning}\n{table}"


def command_line() -> str:
    """Every verb, as reStructuredText for sphinx-argparse: those that people start first."""
    parts, of_rules = [], steps()
    for title, verbs in (
        ("Started by hand", [verb for verb in VERBS if verb not in of_rules]),
        ("Steps of the workflow", of_rules),
    ):
        parts.append(f"{title}\n{'-' * len(title)}\n")
        parts += [_verb(verb) for verb in verbs]
    return "\n".join(parts)


def parser_in_words() -> argparse.ArgumentParser:
    """The whole parser with help texts in which a star is a star, as in patterns of columns."""
    parser = whole_parser()
    _escape(parser)
    return parser


def _escape(parser: argparse.ArgumentParser) -> None:
    """Escape what reStructuredText would take for markup, in the texts of a parser and of those below it."""
    if parser.description:
        parser.description = re.sub(MARKUP, r"\\\1", parser.description)
    for action in parser._actions:
        if action.help and action.help != argparse.SUPPRESS:
            action.help = re.sub(MARKUP, r"\\\1", action.help)
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                _escape(verb)


def _verb(verb: str) -> str:
    """Heading and options of one verb."""
    title = f"brainpid {verb}"
    options = {"module": "reference_pages", "func": "parser_in_words", "prog": "brainpid", "path": verb}
    lines = [f"   :{name}: {value}" for name, value in options.items()]
    return "\n".join([title, "~" * len(title), "", ".. argparse::", *lines, ""])


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
