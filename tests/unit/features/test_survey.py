"""Of what recognisers offer, one kind is taken for each modality, in all cohorts."""

from __future__ import annotations

import pytest
from cohorts import make_tables, write_cohort

from brainpid.cohort.offers import Offer, Recogniser
from brainpid.core.errors import InputError
from brainpid.features import survey as module
from brainpid.features.recognisers import RECOGNISERS
from brainpid.features.survey import modalities_of, survey


def reader(kind, modality, part):
    """A recogniser that finds a kind for a part of the people in the folder of the cohort."""

    def offers(place):
        n = round(part[place.folder.name] * len(place.people)) if place.folder.name in part else 0
        return [Offer(modality, place.folder, {"kind": kind}, tuple(place.people[:n]))] if n else []

    return Recogniser(kind, f"{kind} of {modality}", offers)


def kinds(folder):
    return {cohort.name: {name: offer.kind for name, offer in cohort.taken.items()} for cohort in survey(folder)}


def write(folder, *cohorts):
    for k, name in enumerate(cohorts):
        write_cohort(folder / name, {"participants": make_tables(10, prefix=f"sub-{k}")["participants"]})


def test_a_reader_joins_by_its_recogniser(tmp_path, monkeypatch):
    write_cohort(tmp_path / "x", make_tables())
    assert modalities_of(survey(tmp_path / "x")) == ["t1", "dwi"]
    monkeypatch.setattr(module, "RECOGNISERS", (*RECOGNISERS, reader("lesions", "lesion", {"x": 1})))
    assert kinds(tmp_path / "x") == {"x": {"dwi": "table", "t1": "table", "lesion": "lesions"}}


@pytest.mark.parametrize(("part", "taken"), [(0.8, "processed"), (0.7, "raw")])
def test_what_is_processed_is_taken_where_nearly_everybody_has_it(tmp_path, monkeypatch, part, taken):
    write(tmp_path, "x")
    readers = (reader("processed", "t1", {"x": part}), reader("raw", "t1", {"x": 1}), reader("raw", "dwi", {"x": 1}))
    monkeypatch.setattr(module, "RECOGNISERS", readers)
    assert kinds(tmp_path / "x") == {"x": {"t1": taken, "dwi": "raw"}}


def test_cohorts_have_one_kind_and_not_each_its_own(tmp_path, monkeypatch):
    write(tmp_path, "a", "b")
    readers = (
        reader("processed", "t1", {"a": 1}),
        reader("raw", "t1", {"a": 1, "b": 1}),
        reader("raw", "dwi", {"a": 1, "b": 0.5}),
    )
    monkeypatch.setattr(module, "RECOGNISERS", readers)
    assert kinds(tmp_path) == {"a": {"t1": "raw", "dwi": "raw"}, "b": {"t1": "raw", "dwi": "raw"}}
    found = survey(tmp_path)[0]
    assert [offer.kind for offer in found.others] == ["processed"]


def test_ages_in_two_units_are_refused(tmp_path):
    for name, per_year in (("years", 1), ("months", 12)):
        tables = make_tables(prefix=f"sub-{name}")
        tables["participants"]["age"] *= per_year
        write_cohort(tmp_path / name, tables)
    with pytest.raises(InputError, match=r"ages of cohorts are in different units \('months' in months, 'years' in y"):
        survey(tmp_path)
