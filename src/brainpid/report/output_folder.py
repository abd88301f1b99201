"""What the output folder says of itself: a README of every file, and what in it is no file of BIDS.

The folder is a BIDS derivative of a whole study: its tables join cohorts, and there are no folders of people. Names
that BIDS does not know stand in ``.bidsignore``: a validator passes the folder and still looks at its description.
"""

from __future__ import annotations

from collections.abc import Iterable

from brainpid.report.described import OutputTable
from brainpid.report.output_tables import OUTPUT_TABLES

OF_BIDS = ("README.md", "dataset_description.json", ".bidsignore")
"""What BIDS knows, at the top of the folder."""
FILES = {
    "report.html": "the report; open it first",
    "figures/*.svg": "its figures",
    "README.md": "this file",
    "dataset_description.json": "name, program and version, as BIDS has it",
    ".bidsignore": "what is no file of BIDS",
    "participants/<cohort>.tsv": "the used columns of a cohort's participants table, checked; units in the .json",
    "features/<cohort>.h5": (
        "features of a cohort: one group a modality with the datasets values (people x features, NaN where there is "
        "none), participant_id, feature and unit"
    ),
    "features/parts/": "the same by shard, before they are joined",
    "features/persons/": "what was extracted from each person, with pictures; kept so that nobody is computed twice",
    "quality/parts/": "measures of quality by shard",
    "folds/<model>/repeat-<r>_fold-<k>/": (
        "one training: the model (model.pt or model.joblib), predictions.tsv of the people held out, others.tsv of "
        "those who are never trained on, pid.tsv, "
        "history.tsv of the fit, importance.tsv where it was asked, and provenance.json"
    ),
    "final/<model>/": "the model that is trained on everybody, for `brainpid predict`",
    "null/<cohort>.tsv": "tests of a cohort, joined in aggregate/null.tsv; how they were made in the .json",
    "aggregate/*.json": "data dictionaries of the tables of the same names, and choices that were made",
    "aggregate/provenance.json": "code, versions and settings that the tables were made with",
    "logs/": "what each step wrote, by step",
    "benchmarks/": "time and memory of each step",
    ".snakemake/": "with what each file was made; without it everything would be made again",
    "*.yaml": "a configuration, where one is kept here",
}
"""Files that are no tables of `OUTPUT_TABLES`, by name or pattern, and what they are."""
TEXT = """\
# {title}

Output of {program}: brain age from several modalities, and what each of them contributes.

A BIDS derivative of a whole study. `participants.tsv` is not that of BIDS: it has a row for each person and cohort, and
ages above 89 as they are. Mind that before you share it.

## Files

`<cohort>`, `<model>` and `<m>` stand for names of cohorts, models and modalities, `<r>` and `<k>` for numbers of
repeats and folds.

| file | what it is |
|---|---|
{files}

## Reading them

Tables are separated by tabs; `n/a` is a missing value. A text that a spreadsheet would compute has an apostrophe before
it. In Python, from this folder:

```python
import h5py
import pandas as pd

pid = pd.read_csv("aggregate/pid.tsv", sep="\\t", na_values="n/a")
with h5py.File("features/{cohort}.h5") as file:
    group = file["{modality}"]
    features = pd.DataFrame(
        group["values"][:], index=group["participant_id"].asstr()[:], columns=group["feature"].asstr()[:]
    )
```

## Columns
{columns}
"""


def readme(title: str, program: str, cohort: str, modality: str) -> str:
    """Text of ``README.md``: every file, how to read them, and every column of the tables.

    Parameters
    ----------
    title : str
        Name of the study.
    program : str
        Name and version of the program.
    cohort, modality : str
        Those of the example.
    """
    tables = [table for table in OUTPUT_TABLES if _is_inside(table)]
    files = FILES | {table.path: table.content for table in tables}
    return TEXT.format(
        title=" ".join(title.split()),
        program=program,
        cohort=cohort,
        modality=modality,
        files="\n".join(f"| `{path}` | {_in_cell(files[path])} |" for path in sorted(files, key=_order)),
        columns="\n".join(line for table in tables for line in _columns(table)),
    )


def bidsignore() -> str:
    """Text of ``.bidsignore``: everything at the top of the folder that BIDS does not know."""
    tops = {path.split("/")[0] for path in (*FILES, *(table.path for table in OUTPUT_TABLES if _is_inside(table)))}
    return "".join(f"/{top}\n" for top in sorted(tops - set(OF_BIDS)))


def _is_inside(table: OutputTable) -> bool:
    """Whether a table is one of the output folder, and not of a verb that writes where it is told."""
    return " " not in table.path


def _order(path: str) -> tuple[bool, bool, str]:
    """The report first, then what lies at the top, then by folder."""
    return path != "report.html", "/" in path, path


def _columns(table: OutputTable) -> Iterable[str]:
    yield from ("", f"### {table.path}", "", "| column | type | unit | meaning |", "|---|---|---|---|")
    for column in table.columns:
        told = (f"`{column.name}`", column.kind, column.unit, column.meaning)
        yield "| " + " | ".join(map(_in_cell, told)) + " |"


def _in_cell(text: str) -> str:
    """A text in a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
