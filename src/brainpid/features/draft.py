"""The configuration of what `brainpid init` found, as YAML with a comment wherever there is a choice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import yaml

from brainpid.cohort.offers import Offer
from brainpid.config.paths import plain_path
from brainpid.core.names import SEX
from brainpid.features.draft_designs import list_of_exclusions, training_groups, words_on_groups
from brainpid.features.survey import CohortFound, modalities_of

WIDTH = 110
WORD = re.compile(r"\S*`[^`]*`\S*|\S+")
FEW, MANY = 30, 100
"""People from which on five folds leave enough to train `pidreg` on, and from which on ten leave enough to test on."""
PEOPLE_OF_SHARD, MOST_SHARDS = 50, 8
"""People whose images one job extracts, and most jobs of a modality that are asked for."""
NUISANCE = re.compile(r"icv|e?tiv$|head_?size|motion|displacement|(^|_)fd(_|$)|mean_?fd", re.IGNORECASE)
"""Columns of people that tell the size of the head, or how much it moved."""
MANY_MODALITIES = 5
"""Modalities from which on every further one doubles a long decomposition."""


def draft(cohorts: Sequence[CohortFound], name: str, config: str, output_dir: str) -> str:
    """Write the configuration of cohorts.

    Parameters
    ----------
    cohorts : sequence of CohortFound
        As `brainpid.features.survey.survey` gives them.
    name : str
        The folder, for the first line and the title of the report.
    config : str
        File that the text is for, named in the commands of the head.
    output_dir : str

    Returns
    -------
    str
        Paths are relative to the working folder where they lie below or beside it.
    """
    modalities, target = modalities_of(cohorts), cohorts[0].people.target
    n = sum(_complete(cohort, modalities) for cohort in cohorts)
    folds = 10 if n >= MANY else 5
    models = ["ridge", "gradient_boosting"] if n < FEW else ["pidreg", "ridge", "gradient_boosting"]
    limits = [int(value) for value in target.range]
    head = (
        f"What `brainpid init {name}` found. Next: `brainpid check --config {config}` tells who has what, and "
        f"`brainpid run {config}` does it all. Paths are relative to the folder where they are run; every key is "
        "explained in config/README.md."
    )
    lines = [
        *_comment(head, ""),
        f"output_dir: {_flow(output_dir)}",
        "",
        *(
            _comment("The information of every subset is told: leave out what is not asked about.", "")
            if len(modalities) > MANY_MODALITIES
            else []
        ),
        f"modalities: {_flow(modalities)}",
        f"target: {_flow({'column': 'age', 'units': target.units, 'range': limits})}",
        "",
        "cohorts:",
    ]
    for cohort in cohorts:
        lines += _cohort(cohort, modalities)
    lines += _shards(cohorts)
    lines += _designs(cohorts)
    lines += [
        "",
        *_comment(f"{n} people have every modality. More repeats give steadier numbers and take longer.", ""),
        f"splits: {_flow({'scheme': 'kfold', 'folds': folds, 'repeats': 5, 'seed': 0})}",
    ]
    if len(cohorts) > 1:
        lines += _shared_ages(cohorts)
        lines += _comment("`scheme: leave_one_cohort_out` asks how well a cohort is predicted from the others, and", "")
        lines += _comment("`scheme: [kfold, leave_one_cohort_out]` sets that beside the random folds.", "")
    if len({site for cohort in cohorts for site in cohort.people.sheet["site"]}) > 1:
        lines += _comment("`scheme: [kfold, leave_one_site_out]` also asks how well people of a new site fare.", "")
    lines += _controls(cohorts)
    lines += [
        "",
        *_comment("The first is shown in detail; each further one is trained as often, to compare.", ""),
        *(_comment("`pidreg` is left out: it needs 20 people with every modality in training.", "") if n < FEW else []),
        f"models: {_flow(models)}",
        f"report: {_flow({'title': f'Brain age: {name}'})}",
    ]
    return "\n".join(lines) + "\n"


def _shared_ages(cohorts: Sequence[CohortFound]) -> list[str]:
    """A reference that all cohorts have, for who wants to compare their bits; nothing where they share no ages."""
    known = [cohort.people.sheet["age"].dropna() for cohort in cohorts]
    if any(ages.empty for ages in known):
        return []
    low = math.ceil(max(ages.quantile(0.05) for ages in known))
    high = math.floor(min(ages.quantile(0.95) for ages in known))
    if not low < high:
        return []
    words = "Bits follow the range of ages. Information for ages that all cohorts have, to compare them, is given by"
    return [*_comment(words, ""), f"# reference_ages: {_flow({'range': [low, high]})}"]


def _designs(cohorts: Sequence[CohortFound]) -> list[str]:
    """Groups by which a study may train, as comments."""
    found = training_groups([cohort.people.sheet for cohort in cohorts])
    keys = [f"# train_on: {_flow({column: value})}" for column, value in found.items()]
    return ["", *_comment(words_on_groups(found), ""), *keys] if found else []


def _controls(cohorts: Sequence[CohortFound]) -> list[str]:
    """Nuisance that every cohort knows of its people, to be told beyond; nothing where there is none.

    The site needs no word, being a control by itself where a cohort has two.
    """
    sheets = [cohort.people.sheet for cohort in cohorts]
    taken = {name for cohort in cohorts for name in cohort.people.columns.model_dump().values()}
    found: list[Any] = [
        column
        for column in sheets[0]
        if (column == SEX or (column not in taken and NUISANCE.search(column)))
        and all(column in sheet and len(set(sheet[column].dropna())) > 1 for sheet in sheets)
    ]
    if any(offer.kind != "table" for cohort in cohorts if (offer := cohort.taken.get("fmri")) is not None):
        found.append({"quality": "fmri", "columns": ["fd_mean_mm"]})
    if not found:
        return []
    words = "What the modalities tell that is not sex, head size or motion is given beside all they tell by"
    return [*_comment(words, ""), f"# controls: {_flow(found)}"]


def _cohort(cohort: CohortFound, modalities: Sequence[str]) -> list[str]:
    """Block of one cohort."""
    people = cohort.people
    age = people.sheet["age"]
    renames = {key: value for key, value in people.columns.model_dump().items() if value not in (None, key)}
    lines = [
        f"  {_flow(cohort.name)}:",
        *_comment(f"{len(age)} people, {_ages(age, people.target.units)}", "    "),
        *([f"    bids: {_path(cohort.bids)}"] if cohort.bids else []),
        f"    participants: {_path(people.path)}",
        *_comments(people.choices, "    "),
        *([f"    columns: {_flow(renames)}"] if renames else []),
        *([f"    exclude: {_path(listed)}"] if (listed := list_of_exclusions(people.path)) else []),
        "    sources:",
    ]
    for modality in modalities:
        offer = cohort.taken.get(modality)
        same = [one for one in cohort.others if one.modality == modality and not one.why_not]
        if offer is not None:
            lines += _source(offer, len(age))
        else:
            lines += _comment(f"no {modality}{', of the kind that other cohorts have' if same else ''}", "      ")
        for other in same:
            lines += _comment(f"instead, for {len(other.people)} of {len(age)} people{_root(other, cohort)}:", "      ")
            lines.append(f"      # {_flow(modality)}: {_flow(_plain(other.source))}")
    for other in cohort.others:
        if other.why_not:
            lines += _comment(f"not used: {_path(other.folder)}: {other.why_not}", "      ")
    return lines


def _source(offer: Offer, n: int) -> list[str]:
    """Block of one source."""
    return [
        f"      {_flow(offer.modality)}:",
        *_comment(f"{len(offer.people)} of {n} people", "        "),
        *_comments(offer.choices, "        "),
        *(f"        {key}: {_flow(value)}" for key, value in _plain(offer.source).items()),
    ]


def _root(offer: Offer, cohort: CohortFound) -> str:
    """Raw images of another dataset need that to be the cohort's."""
    return f", with `bids: {_path(offer.folder)}`" if offer.kind == "nifti" and offer.folder != cohort.bids else ""


def _plain(source: Mapping[str, Any]) -> dict[str, Any]:
    """A source with its path as the configuration has it."""
    return {key: plain_path(str(value)) if key == "path" else value for key, value in source.items()}


def _shards(cohorts: Sequence[CohortFound]) -> list[str]:
    """Number of jobs of an image modality, where there are images: each takes seconds before it extracts anybody."""
    if all(offer.kind == "table" for cohort in cohorts for offer in cohort.taken.values()):
        return []
    people = max(len(cohort.people.sheet) for cohort in cohorts)
    shards = min(MOST_SHARDS, -(-people // PEOPLE_OF_SHARD))
    return ["", *_comment("Jobs per cohort and image modality; fixed once chosen.", ""), f"shards: {shards}"]


def _complete(cohort: CohortFound, modalities: Sequence[str]) -> int:
    """People of known age with every modality."""
    having = [set(cohort.taken[modality].people) if modality in cohort.taken else set() for modality in modalities]
    known = cohort.people.sheet.loc[cohort.people.sheet["age"].notna(), "participant_id"]
    return len(set(known).intersection(*having))


def _ages(age: pd.Series, units: str) -> str:
    """Range of the ages, and how many there are not."""
    unknown = int(age.isna().sum())
    return f"{age.min():g} to {age.max():g} {units} old" + (f", {unknown} of unknown age" if unknown else "")


def _path(path: object) -> str:
    return _flow(plain_path(str(path)))


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf"))
    return text.removesuffix("\n").removesuffix("\n...")


def _comments(sentences: Iterable[str], indent: str) -> list[str]:
    return [line for sentence in sentences for line in _comment(sentence, indent)]


def _comment(sentence: str, indent: str) -> list[str]:
    """A sentence as comments, broken between words."""
    lines, room = [""], WIDTH - len(indent)
    for word in WORD.findall(sentence):  # what stands between backticks is to be copied, and stays in one piece
        word = " ".join(word.split())
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [f"{indent}# {line}" for line in lines]
