"""Harmonisation is off unless asked for, and is refused where it does not go with the rest."""

from __future__ import annotations

import pytest
from cohorts import make_config

from brainpid.config.schema import parse_config
from brainpid.config.slices import TrainSettings
from brainpid.core.errors import InputError


def test_features_are_left_as_they_are_by_default_and_nothing_of_it_is_recorded(tmp_path):
    config = parse_config(make_config(tmp_path, ["a"], tmp_path), "test")
    assert config.harmonise.method == "none"
    assert not config.harmonise.used
    # What was trained before there was the key is not trained again.
    assert "harmonise" not in TrainSettings.of(config, "ridge").recorded()
    used = parse_config(make_config(tmp_path, ["a"], tmp_path, harmonise={"method": "location"}), "test")
    recorded = TrainSettings.of(used, "ridge").recorded()["harmonise"]
    assert recorded == {"method": "location", "covariates": ["sex"], "preserve": "age", "unseen": "none"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"harmonise": {"method": "combat"}}, r"harmonise\.method: .*'location_scale'"),
        ({"harmonise": {"methd": "none"}}, "did you mean 'method'"),
        (
            {"harmonise": {"method": "location", "unseen": "error"}, "splits": {"scheme": "leave_one_site_out"}},
            r"harmonise\.unseen: 'error' refuses everybody whom leave_one_site_out tests; expected none or own",
        ),
        (
            {"harmonise": {"method": "location"}, "models": ["pidreg"], "final_model": {"share": True}},
            r"harmonise\.method: what a small site adds tells of single people.*final_model\.share",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        parse_config(make_config(tmp_path, ["a"], tmp_path, **changes), "test")
