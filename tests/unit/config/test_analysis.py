"""A final model that is to be passed on is asked for in the configuration, where it is refused too."""

from __future__ import annotations

import pytest
from cohorts import make_config

from brainpid.config.analysis import FinalModel
from brainpid.config.reference import reference
from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError


def parsed(tmp_path, final_model, **changes):
    content = make_config(tmp_path, ["a"], tmp_path, models=["pidreg", "ridge"]) | changes
    return parse_config(content | {"final_model": final_model}, "test")


@pytest.mark.parametrize(
    ("given", "kept", "shares"),
    [
        (True, True, False), (False, False, False), ({}, FinalModel(), False),
        ({"share": False}, FinalModel(share=False), False), ({"share": True}, FinalModel(share=True), True),
    ],
)  # fmt: skip
def test_a_switch_or_a_section(tmp_path, given, kept, shares):
    config = parsed(tmp_path, given)
    assert (config.final_model, config.shares_final_model) == (kept, shares)
    assert bool(config.final_model) is (given is not False)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shar": True}, r"final_model: unknown key 'shar'; did you mean 'share'\?"),
        ({"share": "perhaps"}, "final_model: share: expected true or false, found 'perhaps'$"),
        ("perhaps", "final_model: expected true, false or a mapping with the key 'share', found 'perhaps'"),
        (None, "final_model: expected true, false or a mapping"),
    ],
)
def test_what_is_neither_is_one_sentence(tmp_path, given, message):
    with pytest.raises(InputError, match=message) as refused:
        parsed(tmp_path, given)
    assert ";" not in str(refused.value).replace("; did you mean", "")


@pytest.mark.parametrize("model", ["ridge", "svr", "gpr", "stacking", "random_forest"])
def test_models_that_keep_people_are_refused_before_anything_runs(tmp_path, model):
    with pytest.raises(InputError, match=f"final_model.share: the file of '{model}' keeps training people"):
        parsed(tmp_path, {"share": True}, models=[model, "pidreg"])
    parsed(tmp_path, True, models=[model, "pidreg"])


@pytest.mark.parametrize("name", ["kernel", "forest"])
def test_base_learners_that_keep_people_are_refused_by_name(tmp_path, name):
    experts = {"pidreg": {"experts": ["normative", name]}}
    with pytest.raises(InputError, match=f"final_model.share: '{name}' of hyperparameters.pidreg.experts keeps"):
        parsed(tmp_path, {"share": True}, hyperparameters=experts)
    parsed(tmp_path, True, hyperparameters=experts)


def test_the_reference_has_the_switch_and_its_section():
    text = reference()
    assert "| `final_model` | `true` |" in text
    assert "| `final_model.share` | `false` |" in text
