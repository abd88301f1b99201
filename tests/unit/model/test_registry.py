"""Every model reads new people once, and all that it says of them can rest on that."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.core.errors import InputError
from brainpid.core.modalities import subsets_of
from brainpid.evaluation.predictions import predict_table
from brainpid.model.age_bias import AgeBias, AgeBiases
from brainpid.model.registry import MODELS

OPTIONS = {
    "pidreg": {"members": 2, "epochs": 2, "hidden": (4,), "experts": ("normative", "kernel")},
    "ridge": {"alphas": 5},
    "stacking": {"experts": ("ridge",)},
    "mean": {},
}


def gappy(n: int = 80, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Three modalities that many people lack one or two of."""
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    X = {m: g[:, None] + rng.normal(size=(n, p)) for m, p in (("t1", 4), ("dwi", 3), ("fmri", 3))}
    for block in (X["dwi"], X["fmri"]):
        block[rng.random(n) < 0.3] = np.nan
    return X, 50 + 15 * g


@pytest.fixture(scope="module", params=OPTIONS)
def model(request):
    return MODELS[request.param].load_class()(**OPTIONS[request.param]).fit(*gappy())


def everything(model, X) -> dict[str, np.ndarray]:
    """All that a model says of people."""
    found = {"predicted": model.predict(X), "interval": model.predict_interval(X, 0.8)}
    for what in ("scalar_latents", "subset_predictions", "expected_gain"):
        found |= {f"{what} {key}": values for key, values in getattr(model, what)(X).items()}
    target = np.linspace(20, 80, len(found["predicted"]))
    found |= {f"log score {key}": values for key, values in model.log_scores(X, target).items()}
    return found


def test_what_was_read_gives_the_same_bits(model):
    X, _ = gappy(seed=1)
    read = model.read(X)
    assert model.read(read) is read
    fresh, from_read = everything(model, X), everything(model, read)
    assert len(fresh) >= 2 + 3 + 7 + 3 + 7
    for what, values in fresh.items():
        np.testing.assert_array_equal(from_read[what], values, err_msg=what)
    for what, values in everything(model, read).items():  # what is kept of the first time is not spoilt by it
        np.testing.assert_array_equal(values, fresh[what], err_msg=what)


def test_a_table_standardises_each_modality_once(model, monkeypatch):
    X, y = gappy(seed=1)
    people = pd.DataFrame({"participant_id": [f"sub-{k}" for k in range(80)], "cohort": "a", "site": "s", "age": y})
    calls, kind = [], type(model.scalers_["t1"])
    transform = kind.transform
    monkeypatch.setattr(kind, "transform", lambda self, block: calls.append(1) or transform(self, block))
    lines = AgeBiases({"+".join(subset): AgeBias(0.0, 1.0) for subset in subsets_of(tuple(X))})
    predict_table(model, X, people, lines, 0.9, people)
    assert len(calls) == len(X)


def test_people_that_another_model_read_are_refused(model):
    X, _ = gappy(seed=1)
    other = MODELS["ridge"].load_class()(alphas=3).fit(*gappy(seed=2))
    for one, another in ((model, other), (other, model)):
        with pytest.raises(InputError, match="another model read these people"):
            one.predict(another.read(X))
    with pytest.raises(InputError, match="expected some of the modalities"):
        model.read({"pet": X["t1"]})


def test_each_fit_is_asked_once_for_the_same_people():
    X, y = gappy()
    ridge = MODELS["ridge"].load_class()(alphas=5).fit(X, y)
    asked = dict.fromkeys(ridge.fits_, 0)

    def counted(subset, scores):
        def ask(blocks):
            asked[subset] += 1
            return scores(blocks)

        return ask

    for subset, fit in ridge.fits_.items():
        fit.scores = counted(subset, fit.scores)
    everything(ridge, ridge.read(gappy(seed=1)[0]))
    everybody = max(asked, key=len)
    # Those who have a subset and those who have nothing else are other people, but for the set of all modalities.
    assert asked[everybody] == 1
    assert max(asked.values()) <= 2
