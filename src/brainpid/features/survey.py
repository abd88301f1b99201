"""What a folder holds, for `brainpid init`: its cohorts, each with a table of people and what recognisers offer.

A folder with a table of labels and ages is a cohort, and so are several such folders below one. What lies below a
cohort without such a table of its own belongs to it, as ``derivatives/`` and ``sourcedata/`` always do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from brainpid.cohort.offers import Offer, Place
from brainpid.cohort.person_files import listed
from brainpid.core.errors import InputError, list_some
from brainpid.features.people_tables import People, labels_in, people_table, read_people
from brainpid.features.recognisers import RECOGNISERS, modality_of

DEEPEST = 5
"""Folders below the one that is looked at."""
ABOVE = 3
"""Folders above it in which its people's table may lie, as above ``derivatives/fmriprep``."""
PART_OF_A_DATASET = ("derivatives", "sourcedata", "rawdata")
"""Folders whose data are those of the cohort above, whatever tables lie in them."""
NOT_LOOKED_INTO = ("code", "stimuli", "logs", "log", "figures", "work", "phenotype", "node_modules")
GOOD_ENOUGH = 0.8
"""Part of the people for whom a processed form is there from which on it is taken before another one."""
FEW_HAVE = 0.2
"""Part of the people with the commonest modality below which another one is left out."""
FEWEST_MODALITIES = 2


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
        # A folder of derivatives is called by the dataset whose people it is of.
        above = participants is None and top == folder and folder.resolve().is_relative_to(table.resolve().parent)
        label = table.resolve().parent.name if above else top.resolve().name
        name = _unused(modality_of(label), [cohort.name for cohort in found])
        people = read_people(name, table)
        places = [Place(own, people.sheet, table) for own in _below(top, set(tables) - {top})]
        offers = [offer for place in places for one in RECOGNISERS for offer in one.offers(place)]
        offers += [offer for place in places for offer in _of_strangers(place)]
        found.append(CohortFound(name, top, people, tuple(offers), {}))
    if folder not in tables:
        found = _with_what_lies_beside(found, list(_below(folder, set(tables))))
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


def _of_strangers(place: Place) -> list[Offer]:
    """Say where all folders of people are of others than the cohort's, as where labels are written in another way."""
    there = [path.name for path in listed(place.folder) if path.name.startswith("sub-") and path.is_dir()]
    if not there or set(there) & set(place.people):
        return []
    why = (
        f"its folders ({list_some(there, 3)}) are of nobody in {place.participants} ({list_some(place.people, 3)}); "
        "do the labels fit?"
    )
    return [Offer("", place.folder, {"kind": "images"}, why_not=why)]


def _with_what_lies_beside(cohorts: list[CohortFound], folders: Sequence[Path]) -> list[CohortFound]:
    """Add what lies beside the folders of cohorts, such as derivatives of all; not where a label is in two of them."""
    labels = [person for cohort in cohorts for person in cohort.people.sheet["participant_id"]]
    if len(set(labels)) < len(labels):
        return cohorts
    joined = []
    for cohort in cohorts:
        places = [Place(folder, cohort.people.sheet, cohort.people.path) for folder in folders]
        offers = [offer for place in places for one in RECOGNISERS for offer in one.offers(place)]
        usable = tuple(offer for offer in offers if not offer.why_not)
        joined.append(replace(cohort, offers=(*cohort.offers, *usable)))
    return joined


def modalities_of(cohorts: Sequence[CohortFound]) -> list[str]:
    """Modalities that are taken of any cohort: t1, dwi and fmri first."""
    names = list(dict.fromkeys(name for cohort in cohorts for name in cohort.taken))
    first = [name for name in ("t1", "dwi", "fmri") if name in names]
    return [*first, *(name for name in names if name not in first)]


def _tables_of(folder: Path) -> dict[Path, Path]:
    """Tables of people by the folder whose data they belong to: in it and below, else above it."""
    found: dict[Path, Path] = {}
    for top in _below(folder, set()):
        parts = {part for other in found if top.is_relative_to(other) for part in top.relative_to(other).parts}
        if not parts & set(PART_OF_A_DATASET) and (path := people_table(top)) is not None:
            found[top] = path
    if len(found) == 1:  # whatever lies beside it is of the same people
        return {folder: next(iter(found.values()))}
    if folder in found:  # one of these tells of everybody, the others of the same people again
        own, below = set(labels_in(found[folder])), {top: path for top, path in found.items() if top != folder}
        if {label for path in below.values() for label in labels_in(path)} <= own:
            return below if any(_has_people(top) for top in below) else {folder: found[folder]}
    if found:
        return found
    for above in list(folder.resolve().parents)[:ABOVE]:
        if (path := people_table(above, ("participants",))) is not None:
            return {folder: path}
    return {}


def _has_people(folder: Path) -> bool:
    """Whether there are folders of people, as at the top of a dataset."""
    return any(path.name.startswith("sub-") and path.is_dir() for path in listed(folder))


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
        if (path / "stats").is_dir() or (path / ".snakemake").is_dir():
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
