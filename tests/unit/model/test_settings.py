"""Options of estimators given in Python: the section of the configuration decides, for every model."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.config.models import Hyperparameters
from brainpid.core.errors import InputError
from brainpid.model.registry import MODELS
from brainpid.model.settings import settings_of

BASELINES = [name for name in MODELS if name != "pidreg"]


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_has_the_options_of_its_section(name):
    own = MODELS[name].load_class()
    section = Hyperparameters.model_fields[name].annotation
    assert own.section is section
    assert set(own().get_params()) == {*section.model_fields, "random_state"}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ridge", {"alphas": 1}, "Ridge: alphas"),
        ("ridge", {"log10_alpha_range": (5.0, -2.0)}, "low < high"),
        ("ridge", {"target_transform": "log"}, "target_transform"),
        ("ridge", {"random_state": -1}, "Ridge: random_state: expected a whole number from 0 on or None, found -1"),
        ("mean", {"random_state": "x"}, "Mean: random_state"),
        ("elastic_net", {"l1_ratios": (0.0,)}, "l1_ratios"),
        ("elastic_net", {"smallest_alpha": 1.0}, "smallest_alpha"),
        ("svr", {"costs": ()}, "costs"),
        ("svr", {"widths": (-1.0,)}, "widths"),
        ("gpr", {"likelihood_people": 10}, "likelihood_people"),
        ("gradient_boosting", {"learning_rate": 0.0}, "learning_rate"),
        ("gradient_boosting", {"max_features": 2.0}, "max_features"),
        ("random_forest", {"trees": 0}, "trees"),
        ("random_forest", {"trees": 2.5}, "trees"),
        ("stacking", {"experts": ("lasso",)}, "experts"),
        ("mlp", {"hidden": (0,)}, "hidden"),
        ("mlp", {"alphas": (float("nan"),)}, "alphas"),
    ],
)
def test_an_option_out_of_its_range_is_refused_before_anything_is_read(name, options, message):
    model = MODELS[name].load_class()(**options)
    with pytest.raises(InputError, match=message):
        model.fit({"t1": "not read", "dwi": "not read"}, None)


def test_numbers_of_numpy_are_numbers():
    section = Hyperparameters.model_fields["ridge"].annotation
    found = settings_of(
        section,
        {"alphas": np.int64(7), "log10_alpha_range": np.array([-1.0, 2.0]), "random_state": np.int64(3)},
        "Ridge",
    )
    assert (found.alphas, found.log10_alpha_range) == (7, (-1.0, 2.0))
