"""The study's own list of people who are left out."""

from __future__ import annotations

import pytest

from brainpid.cohort.exclusions import read_exclusions
from brainpid.core.errors import InputError

PEOPLE = [f"sub-{k}" for k in range(4)]


def read(tmp_path, text: str):
    path = tmp_path / "exclude.tsv"
    path.write_text(text)
    return read_exclusions(path, PEOPLE, ["t1", "dwi"])


def test_people_and_single_modalities_with_their_reasons(tmp_path):
    text = "participant_id\treason\tmodality\tby\n0\tstroke\t\tA\nsub-1\t motion \tt1\tB\n1\tartefact\tt1\tB\n"
    assert read(tmp_path, text) == {"t1": {"sub-0": "stroke", "sub-1": "motion; artefact"}, "dwi": {"sub-0": "stroke"}}
    assert read(tmp_path, "participant_id\treason\n2\tno consent\n")["dwi"] == {"sub-2": "no consent"}
    assert read(tmp_path, "participant_id\treason\n") == {"t1": {}, "dwi": {}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("participant_id\treason\n7\tx\n9\tx\n", "sub-7, sub-9 are in no row of the participants table"),
        ("participant_id\treason\n1\tn/a\n", "line 2: no reason why sub-1 is left out"),
        ("participant_id\treason\tmodality\n1\tx\ttt1\n", "line 2: modality 'tt1' is none of the cohort's; .*t1"),
        ("participant_id\twhy\n1\tx\n", "'reason'"),
    ],
)
def test_what_is_no_list(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read(tmp_path, text)
