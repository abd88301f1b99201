"""The reference of the configuration, for people and for editors, made from the schema.

``make docs`` writes it to ``config/README.md``, and as JSON schema, which completes and checks keys in an editor, to
``config/schema.json``.
"""

from __future__ import annotations

import json
import sys
from typing import Any, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import CoreSchema

from brainpid.config.accepted import accepted
from brainpid.config.schema import Config
from brainpid.config.section import Section
from brainpid.core.files import write_text

PATH = "config/README.md"
SCHEMA_PATH = "config/schema.json"

INTRODUCTION = """\
# Configuration

Every key of a configuration, with its default and what it accepts. The file is YAML; an unknown or misspelt key is an
error that names the nearest valid one. Paths are relative to the folder in which `snakemake` is started.
`brainpid check --config FILE` goes through a configuration and its inputs without running anything. A key that is given
twice is refused. `~` and variables such as `$HOME` in paths are filled in; `{` and `}` are refused. A text that YAML
takes for something else, such as `no` or `012`, goes in quotes.

- `config.yaml`: a template; `demo.yaml`: what `make demo` runs.
- `schema.json`: the same keys as JSON schema. A first line `# yaml-language-server: $schema=schema.json`, with the path
  from the file to it, lets an editor complete and check them.

A participants table has one line a person: `participant_id` (unique, with or without `sub-`), the target, and `sex` and
`site` where known. A feature table has `participant_id` and one column a feature; `n/a` or an empty cell is missing. A
JSON of the same name (a BIDS dictionary) gives units, and regions of the brain for the importance of regions, two of an
edge: `{"volume": {"Units": "mm^3", "Region": "L_insula"}, "edge": {"Region": ["L_insula", "R_insula"]}}`. Every line of
a table has as many cells as its header, and labels are text: site `01` is another one than `1`. A target that cannot be
read, such as `89+`, is unknown, with the reason in `participants.tsv`. A number that lies far from all others of its
column and repeats exactly, such as -9999, is used as it stands, with a warning and a note in `features.tsv`.

"""

PLACEHOLDERS = {"cohorts": "<cohort>", "sources": "<modality>"}
"""What stands for the name in a mapping from names to sections."""


def reference() -> str:
    """Every key of the configuration with its default, type, range and meaning, as Markdown: one table a section."""
    return INTRODUCTION + "\n".join(_tables(Config, "", "Top level"))


class _Generator(GenerateJsonSchema):
    """JSON schema without titles that only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> dict[str, Any]:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}


def json_schema() -> dict[str, Any]:
    """JSON schema of the configuration (draft 2020-12)."""
    return Config.model_json_schema(schema_generator=_Generator)


def schema_text() -> str:
    """Content of ``config/schema.json``; keys in the order of the sections."""
    return json.dumps(json_schema(), indent=2) + "\n"


def _tables(section: type[Section], prefix: str, title: str) -> list[str]:
    """Lines of a section's table and of those of the sections in it."""
    rows: list[str] = []
    inner: list[str] = []
    schemas = section.model_json_schema(schema_generator=_Generator)["properties"]
    for name, field in section.model_fields.items():
        sections = _sections(field.annotation)
        key, meaning = f"{prefix}{name}", field.description
        if not sections or name in PLACEHOLDERS or isinstance(field.default, bool | tuple):
            default = "required" if field.is_required() else f"`{_shown(field.default)}`"
            rows.append(f"| `{key}` | {default} | {accepted(schemas[name])} | {meaning} |")
        place = f"{key}.{PLACEHOLDERS[name]}" if name in PLACEHOLDERS else key
        for kind in sections:
            if len(sections) == 1:
                heading = f"`{place}`: {meaning}"
            elif "kind" not in kind.model_fields:  # a choice by the keys
                heading = f"`{place}`: {kind.__doc__}"
            else:  # a choice between kinds
                heading = f"`{place}`, kind `{get_args(kind.model_fields['kind'].annotation)[0]}`: {kind.__doc__}"
            inner += _tables(kind, f"{place}.", heading)
    head = [f"## {title}\n\n| key | default | accepts | meaning |\n|---|---|---|---|"]
    return [*head, *rows, "", *inner] if rows else inner


def _sections(annotation: Any) -> list[type[Section]]:
    """Sections that a key holds: itself, or whatever its mapping, choice or option is of."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections(part)]


def _shown(default: Any) -> str:
    """A default as YAML would have it."""
    return "none" if default is None else json.dumps(default)


if __name__ == "__main__":
    if sys.flags.optimize > 1:
        sys.exit("the reference is made of docstrings, which PYTHONOPTIMIZE=2 takes away; unset it")
    write_text(PATH, reference())
    write_text(SCHEMA_PATH, schema_text())
