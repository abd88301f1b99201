"""Before a run it is said where training will have too few sites to learn what others bring."""

from __future__ import annotations

import pandas as pd
import pytest

from brainpid.evaluation.new_sites import doubts_of_new_sites


def study(sites: dict[str, str], out: str = "") -> pd.DataFrame:
    """People of sites by cohort."""
    rows = [(cohort, site) for cohort, own in sites.items() for site in own for _ in range(2)]
    people = pd.DataFrame(rows, columns=["cohort", "site"])
    return people.assign(included=~people["site"].isin(list(out)))


@pytest.mark.parametrize(
    ("sites", "scheme", "said"),
    [
        ({"a": "123"}, "leave_one_site_out", "leave_one_site_out: training has 2 sites where it has fewest"),
        ({"a": "1234"}, "leave_one_site_out", "training has 3 sites where it has fewest"),
        ({"a": "123456"}, "leave_one_site_out", ""),
        ({"a": "123456", "b": "x"}, "leave_one_cohort_out", "leave_one_cohort_out: training has 1 site where"),
        ({"a": "123456", "b": "x"}, "kfold", ""),
        ({"a": "1"}, "leave_one_cohort_out", ""),
    ],
)
def test_too_few_training_sites(sites, scheme, said):
    found = doubts_of_new_sites(study(sites), (scheme,))
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_sites_of_which_nobody_takes_part_are_none():
    assert "training has 2 sites" in doubts_of_new_sites(study({"a": "1234"}, out="4"), ("leave_one_site_out",))[0]
