"""Filters by entities are brought to one form, or refused in words."""

from __future__ import annotations

import pytest

from brainpid.config.entities import entity_filter
from brainpid.config.section import parse_section
from brainpid.config.sources import FMRIPrepSource, FreeSurferSource, NiftiSource, QSIReconSource
from brainpid.core.errors import InputError


def test_values_become_lists_of_text_and_stay_them():
    found = entity_filter({"acq": "mprage", "run": 1, "rec": None, "dir": ["AP", "PA"]})
    assert found == {"acq": ("mprage",), "run": ("1",), "rec": (None,), "dir": ("AP", "PA")}
    assert entity_filter(found) == found
    source = NiftiSource.model_validate({"kind": "nifti", "entities": {"acq": "x"}})
    assert NiftiSource.model_validate_json(source.model_dump_json()) == source


@pytest.mark.parametrize(
    ("entities", "message"),
    [
        ({"acq": False}, "YAML reads no, yes, on and off as false; put the value in quotes"),
        ({"acquisition": "x"}, "'acquisition' stands in names as 'acq'"),
        ({"task": "rest"}, "'task' is decided by the key task"),
        ({"acq": "acq-x"}, "expected the value alone, such as mprage of acq-mprage, found 'acq-x'"),
        ({"acq": []}, "expected values, each once"),
        ({"run": 1.5}, "expected text, a whole number or null, found 1.5"),
        ({1: "x"}, "1 is no entity"),
        (["acq"], "expected a mapping such as {acq: mprage}"),
    ],
)
def test_what_is_no_filter_is_refused(entities, message):
    with pytest.raises(InputError, match=message):
        parse_section(NiftiSource, {"kind": "nifti", "entities": entities}, "c.yaml")


@pytest.mark.parametrize(
    ("section", "content", "message"),
    [
        (FMRIPrepSource, {"kind": "fmriprep", "space": "T1w"}, "space: 'T1w' is no volume of a template"),
        (QSIReconSource, {"kind": "qsirecon", "space": "ACPC"}, "'ACPC' is no volume of a template"),
        (QSIReconSource, {"kind": "qsirecon", "maps": {"fat": {}}}, "no metric of known unit; did you mean 'fa'"),
        (FreeSurferSource, {"kind": "freesurfer", "parcellation": "lh.aparc.stats"}, "between lh. and .stats"),
    ],
)
def test_other_keys_of_derivatives_are_checked(section, content, message):
    with pytest.raises(InputError, match=message):
        parse_section(section, content | {"path": "x"}, "c.yaml")
