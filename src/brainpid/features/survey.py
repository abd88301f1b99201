"""What a folder holds, for `brainpid init`: its cohorts, each with a table of people and what recognisers offer.

A folder with a table of labels and ages is a cohort, and so are several such folders below one. What lies below a
cohort without such a table of its own belongs to it, as ``derivatives/`` and ``sourcedata/`` always do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from brainpid.cohort.columns import LABELS, SEXES, SITES, ages_in, first_named
from brainpid.cohort.offers import Offer, Place
from brainpid.cohort.participants import read_labels, read_participants
from brainpid.cohort.person_files import listed
from brainpid.cohort.targets import PER_YEAR
from brainpid.config.cohorts import Columns, Target
from brainpid.config.slices import ParticipantsSettings
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import read_header
from brainpid.core.rows import DELIMITERS
from brainpid.features.recognisers import RECOGNISERS, modality_of
from brainpid.features.tables import read_units
from brainpid.features.units import UNKNOWN_UNIT, canonical_unit

DEEPEST = 5
"""Folders below the one that is looked at."""
ABOVE = 3
"""Folders above it in which its people's table may lie, as above ``derivatives/fmriprep``."""
PART_OF_A_DATASET = ("derivatives", "sourcedata", "rawdata")
"""Folders whose data are those of the cohort above, whatever tables lie in them."""
NOT_LOOKED_INTO = ("code", "stimuli", "logs", "log", "figures", "work", "phenotype", "node_modules")
FAMILY = re.compile(r"(family|fam)(_?id)?|twin_?id", re.IGNORECASE)
GOOD_ENOUGH = 0.8
"""Part of the people for whom a processed form is there from which on it is taken before another one."""
FEW_HAVE = 0.2
"""Part of the people with the commonest modality below which another one is left out."""
FEWEST_MODALITIES = 2
UNITS = {"month": "months", "day": "days"}


@dataclass(frozen=True)
class People:
    """A table of people, and how it is to be read.

    Attributes
    ----------
    path : path
    columns : Columns
        Names of its columns, where they are not the standard ones.
    target : Target
        Age, in the unit that the table has it in.
    choices : tuple of str
        What else there is.
    sheet : DataFrame
        As `brainpid.cohort.participants.read_participants` gives it.
    """

    path: Path
    columns: Columns
    target: Target
    choices: tuple[str, ...]
    sheet: pd.DataFrame


@dataclass(frozen=True)
class CohortFound:
    """A cohort of a folder.

    Attributes
    ----------
    name : str
    folder : path
    people : People
    offers : tuple of Offer
        Everything that recognisers found.
    taken : dict of str to Offer
        The one that is taken for each modality.
    """

    name: str
    folder: Path
    people: People
    offers: tuple[Offer, ...]
    taken: dict[str, Offer]

    @property
    def bids(self) -> Path | None:
        """Top of the raw dataset whose images are taken."""
        return next((offer.folder for offer in self.taken.values() if offer.kind == "nifti"), None)

    @property
    def others(self) -> list[Offer]:
        """What is not taken."""
        return [offer for offer in self.offers if offer not in self.taken.values()]


def survey(folder: Path, participants: Path | None = None) -> list[CohortFound]:
    """Look at a folder and all below it.

    Parameters
    ----------
    folder : path
    participants : path, optional
        Table of all people whose data lie in the folder; by default those that lie in it, or above it.

    Raises
    ------
    InputError
        Where there is no folder, nobody's table, nothing that is recognised or one modality alone, or where ages of
        cohorts are in different units.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder with data, found {'a file' if folder.exists() else 'nothing'}")
    tables = {folder: participants} if participants is not None else _tables_of(folder)
    if not tables:
        raise InputError(_without_people(folder))
    found: list[CohortFound] = []
    for top, table in tables.items():
        label = top.resolve().name if participants is not None or top != folder else table.resolve().parent.name
        name = _unused(modality_of(label), [cohort.name for cohort in found])
        people = read_people(name, table)
        places = [Place(own, people.sheet, table) for own in _below(top, set(tables) - {top})]
        offers = [offer for place in places for one in RECOGNISERS for offer in one.offers(place)]
        found.append(CohortFound(name, top, people, tuple(offers), {}))
    found = _choose(found)
    if not any(cohort.taken for cohort in found):
        raise InputError(_nothing(folder, found))
    found = [cohort for cohort in found if cohort.taken]
    modalities = modalities_of(found)
    if len(modalities) < FEWEST_MODALITIES:  # which is what a decomposition is of
        raise InputError(
            f"{folder}: expected two modalities at least, found '{modalities[0]}' alone"
            + "".join(f"; {words}" for words in _unused_words(found)[:3])
            + f". Looked for {_looked_for()}"
        )
    units = {cohort.people.target.units: cohort.name for cohort in found}
    if len(units) > 1:
        told = [f"'{name}' in {unit}" for unit, name in units.items()]
        raise InputError(f"{folder}: ages of cohorts are in different units ({list_some(told)}); convert one column")
    return found


def modalities_of(cohorts: Sequence[CohortFound]) -> list[str]:
    """Modalities that are taken of any cohort: t1, dwi and fmri first."""
    names = list(dict.fromkeys(name for cohort in cohorts for name in cohort.taken))
    first = [name for name in ("t1", "dwi", "fmri") if name in names]
    return [*first, *(name for name in names if name not in first)]


def read_people(cohort: str, path: Path) -> People:
    """Read a table of people under whatever names its columns have.

    Raises
    ------
    InputError
        Where it has no column of labels or of ages, or the ages are no ages.
    """
    header = read_header(path)
    label, ages = first_named(header, LABELS), ages_in(header)
    if label is None or not ages:
        what = "labels, such as participant_id" if label is None else "ages, such as age"
        raise InputError(f"{path}: expected a column of {what}, found {list_some(header, 8)}")
    sex, site = first_named(header, SEXES) or "sex", first_named(header, SITES) or "site"
    age = ages[0]
    columns = Columns(participant_id=label, target=None if age == "age" else age, sex=sex, site=site)
    choices = []
    if age != "age" or len(ages) > 1:
        others = f"; others that may be meant: {list_some(ages[1:], 4)}" if len(ages) > 1 else ""
        choices.append(f"age is the column '{age}'{others}; `columns: {{target: ...}}` takes another")
    families = [name for name in header if FAMILY.fullmatch(name)]
    if families:
        choices.append(f"'{families[0]}' may keep relatives on one side of every split, by `splits: {{group: ...}}`")
    target, words, sheet = _target(cohort, path, columns, read_units(path).get(age, UNKNOWN_UNIT))
    if capped := [cell for cell in sheet.get("target_reason", pd.Series(dtype=str)).dropna() if "+'" in cell]:
        cell = capped[0].split("'")[1]
        key = f"replace: {{{cell}: {cell.removesuffix('+')}}}"
        choices.append(f"{len(capped)} without an age, as {capped[0]}; `{key}` under `target:` gives one")
    return People(path, columns, target, (*choices, *words), sheet)


def _target(cohort: str, path: Path, columns: Columns, unit: str) -> tuple[Target, list[str], pd.DataFrame]:
    """Unit of the ages by the dictionary of the table, else by the numbers, and the people."""

    def read(target: Target) -> pd.DataFrame:
        return read_participants(cohort, ParticipantsSettings(path=str(path), columns=columns, target=target))

    if (named := UNITS.get(canonical_unit(unit))) is not None:
        target = _in(named)
        return target, [f"ages are in {named}, by the JSON beside the table"], read(target)
    try:
        return Target(), [], read(Target())
    except InputError as fault:
        named = next((own for own in PER_YEAR if f"are these {own}?" in str(fault)), None)
        if named is None:
            raise
    target = _in(named)
    return target, [f"ages are taken to be in {named}: they are too large for years"], read(target)


def _in(unit: str) -> Target:
    """Age in another unit than years, up to the same age."""
    return Target(units=unit, range=(0.0, 120 * PER_YEAR[unit]))


def _tables_of(folder: Path) -> dict[Path, Path]:
    """Tables of people by the folder whose data they belong to: in it and below, else above it."""
    found: dict[Path, Path] = {}
    for top in _below(folder, set()):
        parts = {part for other in found if top.is_relative_to(other) for part in top.relative_to(other).parts}
        if not parts & set(PART_OF_A_DATASET) and (path := _people_table(top)) is not None:
            found[top] = path
    if len(found) == 1:  # whatever lies beside it is of the same people
        return {folder: next(iter(found.values()))}
    if folder in found:  # one of these tells of everybody, the others of the same people again
        own, below = set(_labels(found[folder])), {top: path for top, path in found.items() if top != folder}
        if {label for path in below.values() for label in _labels(path)} <= own:
            return below if any(_has_people(top) for top in below) else {folder: found[folder]}
    if found:
        return found
    for above in list(folder.resolve().parents)[:ABOVE]:
        if (path := _people_table(above, ("participants",))) is not None:
            return {folder: path}
    return {}


def _has_people(folder: Path) -> bool:
    """Whether there are folders of people, as at the top of a dataset."""
    return any(path.name.startswith("sub-") and path.is_dir() for path in listed(folder))


def _labels(path: Path) -> list[str]:
    return read_labels(path, first_named(read_header(path), LABELS) or "participant_id")


def _people_table(folder: Path, stems: Sequence[str] = ()) -> Path | None:
    """The table of labels and ages of a folder: participants.tsv first, then the one with the fewest columns."""
    fit = []
    for path in listed(folder):
        if path.suffix not in DELIMITERS or not path.is_file() or (stems and path.stem not in stems):
            continue
        try:
            header = read_header(path)
        except InputError:  # no table; what it is, is said where it is looked at as one of features
            continue
        if first_named(header, LABELS) is not None and ages_in(header):
            fit.append((path.stem != "participants", len(header), path.name, path))
    return min(fit)[-1] if fit else None


def _below(folder: Path, cohorts: set[Path], depth: int = 0) -> Iterator[Path]:
    """A folder and those below it that may hold data: nobody's own folder, no output of a run, no other cohort."""
    yield folder
    if depth == DEEPEST:
        return
    for path in listed(folder):
        if path.name.startswith(("sub-", "ses-", "fsaverage")) or path.name in NOT_LOOKED_INTO or path in cohorts:
            continue
        if not path.is_dir() or not os.access(path, os.R_OK | os.X_OK) or _is_loop(path, folder):
            continue
        if (path / "stats").is_dir() or (path / "splits.tsv").is_file():
            continue
        yield from _below(path, cohorts, depth + 1)


def _is_loop(path: Path, folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return path.is_symlink() and folder.resolve().is_relative_to(path.resolve())


def _choose(cohorts: list[CohortFound]) -> list[CohortFound]:
    """Take one kind of source for each modality in all cohorts, since features of other kinds are other features."""
    order = [one.kind for one in RECOGNISERS]
    best: list[dict[tuple[str, str], Offer]] = []
    for cohort in cohorts:
        raw = [offer for offer in cohort.offers if offer.kind == "nifti" and not offer.why_not]
        roots = {offer.folder: sum(len(one.people) for one in raw if one.folder == offer.folder) for offer in raw}
        root = max(roots, key=lambda path: roots[path]) if roots else None  # a cohort has one raw dataset
        own: dict[tuple[str, str], Offer] = {}
        for offer in cohort.offers:
            key = offer.modality, offer.kind
            fits = not offer.why_not and (offer.kind != "nifti" or offer.folder == root)
            if fits and (key not in own or len(offer.people) > len(own[key].people)):
                own[key] = offer
        best.append(own)
    refused = _refuse_other_features(cohorts, best)
    people: dict[str, dict[str, int]] = {}
    for own in best:
        for (modality, kind), offer in own.items():
            counts = people.setdefault(modality, {})
            counts[kind] = counts.get(kind, 0) + len(offer.people)
    kinds = {
        modality: next(
            kind for kind in sorted(counts, key=order.index) if counts[kind] >= GOOD_ENOUGH * max(counts.values())
        )
        for modality, counts in people.items()
    }
    counts = {modality: people[modality][kind] for modality, kind in kinds.items()}
    for modality in sorted(kinds, key=lambda name: counts[name]):
        if len(kinds) > FEWEST_MODALITIES and counts[modality] < FEW_HAVE * max(counts.values()):
            kind = kinds.pop(modality)
            for own in best:
                if (modality, kind) in own:
                    offer = own.pop((modality, kind))
                    why = f"{len(offer.people)} people have it, and few would have every modality"
                    refused[offer.folder, modality] = replace(offer, why_not=why)
    return [
        replace(
            cohort,
            offers=tuple(refused.get((offer.folder, offer.modality), offer) for offer in cohort.offers),
            taken={modality: own[modality, kind] for modality, kind in kinds.items() if (modality, kind) in own},
        )
        for cohort, own in zip(cohorts, best, strict=True)
    ]


def _refuse_other_features(
    cohorts: Sequence[CohortFound], best: Sequence[dict[tuple[str, str], Offer]]
) -> dict[tuple[Path, str], Offer]:
    """Take out, and give with the reason, tables without a feature that the largest of the modality has."""
    refused: dict[tuple[Path, str], Offer] = {}
    for key in {key for own in best for key in own if key[1] == "table"}:
        having = [k for k, own in enumerate(best) if key in own]
        largest = max(having, key=lambda k: len(best[k][key].people))
        common = set(best[largest][key].features)
        for k in having:
            if common & set(best[k][key].features):
                common &= set(best[k][key].features)
            else:
                offer = best[k].pop(key)
                why = f"it has no feature in common with {key[0]} of cohort '{cohorts[largest].name}'"
                refused[offer.folder, offer.modality] = replace(offer, why_not=why)
    return refused


def _unused(name: str, used: Sequence[str]) -> str:
    """A name that differs from others in more than capitals."""
    taken = {one.casefold() for one in used}
    return next(own for own in (name, *(f"{name}_{k}" for k in range(2, len(used) + 3))) if own.casefold() not in taken)


def _looked_for() -> str:
    return "; ".join(one.looks_for for one in RECOGNISERS)


def _unused_words(cohorts: Sequence[CohortFound]) -> list[str]:
    return [f"{offer.folder}: {offer.why_not}" for cohort in cohorts for offer in cohort.others if offer.why_not]


def _nothing(folder: Path, cohorts: Sequence[CohortFound]) -> str:
    """Say that nothing was recognised, what is looked for and what there is."""
    seen = _unused_words(cohorts) or [f"there is {list_some([path.name for path in listed(folder)], 8) or 'nothing'}"]
    people = ", ".join(f"{len(cohort.people.sheet)} people in {cohort.people.path}" for cohort in cohorts)
    return f"{folder}: {people}, and no data of them: {list_some(seen, 4)}. Looked for {_looked_for()}"


def _without_people(folder: Path) -> str:
    """Say that nobody's table is there, and what is."""
    there = list_some([path.name for path in listed(folder)], 8) or "nothing"
    return (
        f"{folder}: found no table of people, with participant_id and age, in it or above it; there is {there}. "
        "--participants FILE gives one that lies elsewhere. "
        f"Looked for {_looked_for()}"
    )
