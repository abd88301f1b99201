"""Changing some columns of people gives what reading the changed people anew gives, for every kind of base learner."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.model import PIDReg
from brainpid.model.varying import WholeReads

RNG = np.random.default_rng(0)
N = 80
AGE = RNG.uniform(20, 80, N)
X = {
    "t1": np.column_stack([AGE[:, None] / 20 + RNG.normal(size=(N, 5)), np.ones(N)]),  # a constant one has no edges
    "dwi": AGE[:, None] / 30 + RNG.normal(size=(N, 4)),
    "fmri": RNG.normal(size=(N, 3)) + (AGE[:, None] / 40) ** 2,
}
KINDS = {
    "network": {"experts": (), "epochs": 20},
    "bins": {"experts": (), "bins": 4, "hidden": (6, 5), "head": (4,)},
    "no hidden layer": {"experts": (), "hidden": ()},
    "normative": {"experts": ("normative",)},
    "processes": {"experts": ("kernel",)},
    "trees": {"experts": ("forest", "boosting"), "target_transform": "none"},
}


@pytest.mark.parametrize("options", KINDS.values(), ids=list(KINDS))
def test_changed_columns_give_what_changed_people_give(options):
    model = PIDReg(members=2, **{"epochs": 2, "hidden": (6,), "latent_dim": 3} | options).fit(X, AGE)
    people = {m: block[:20].copy() for m, block in X.items()}
    people["dwi"][:5] = np.nan  # lacks a modality
    people["t1"][7, 2] = np.nan  # lacks a cell
    for modality, columns in (("t1", [0]), ("t1", [4, 1, 5]), ("t1", list(range(6))), ("fmri", [2, 0]), ("t1", [5])):
        values = np.stack([people[modality][RNG.permutation(20)], people[modality] + 1.0])[..., columns]
        values[0, 3, 0] = np.nan
        found = model.vary(people, modality)(np.array(columns), values)
        expected = WholeReads(model.predict, people, modality)(np.array(columns), values)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected, rtol=2e-6)
        assert columns == [5] or np.ptp(found, axis=0).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_each_column_alone_follows_slopes_and_steps(kind):
    """Of a small change, where maps of target and features have no kinks; trees' steps are as they are."""
    options = {"epochs": 2, "hidden": (6,), "latent_dim": 3} | KINDS[kind]
    options |= {"target_transform": "none", "feature_transform": "none"}
    if kind == "trees":
        options["experts"] = ("forest",)
    model = PIDReg(members=2, **options).fit(X, AGE)
    if kind == "trees":
        model._fitted.stack.weights[0], model._fitted.stack.latent_weights[0] = 0.0, 0.0  # no network
    people = {m: block[:20].copy() for m, block in X.items()}
    people["dwi"][:5] = np.nan
    small = {"trees": 1.0, "bins": 0.4}.get(kind, 1e-2)
    for modality in ("t1", "fmri"):
        columns = np.arange(X[modality].shape[1])
        values = np.stack([people[modality] + small, people[modality] - small])
        varying = model.vary(people, modality)
        assert not varying.exact
        found = np.subtract(*varying.each(columns, values))
        expected = np.subtract(*WholeReads(model.predict, people, modality).each(columns, values))
        away = np.abs(found - expected).max() / np.abs(expected).max()
        assert away < {"trees": 1e-6, "bins": 0.8}.get(kind, 0.02)
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > (0.9 if kind == "bins" else 0.999)


def test_a_base_learner_by_which_nothing_moves_is_read_once(monkeypatch):
    model = PIDReg(members=2, epochs=1, hidden=(6,), latent_dim=3, experts=("normative", "kernel")).fit(X, AGE)
    stack = model._fitted.stack
    stack.weights[0], stack.latent_weights[0] = 0.0, 0.0
    values = X["t1"][None, ::-1, :2]
    expected = WholeReads(model.predict, X, "t1")(np.arange(2), values)
    monkeypatch.setattr(type(model._fitted.base_learners["network"]), "vary", None)
    monkeypatch.setattr(type(model._fitted.base_learners["network"]), "additive", None)
    varying = model.vary(X, "t1")
    np.testing.assert_allclose(varying(np.arange(2), values), expected, rtol=2e-6)
    assert np.isfinite(varying.each(np.arange(2), values)).all()


def test_the_cost_of_a_feature_does_not_rise_with_the_others(monkeypatch):
    """Nothing as wide as a table is read again once the people are."""
    wide = X | {"fmri": np.column_stack([X["fmri"], RNG.normal(size=(N, 400))])}
    model = PIDReg(members=2, epochs=1, hidden=(6,), latent_dim=3, experts=("normative", "kernel")).fit(wide, AGE)
    varying = model.vary(wide, "fmri")
    before = varying(np.array([1]), wide["fmri"][None, :, [1]])
    for learner in model._fitted.base_learners.values():
        monkeypatch.setattr(type(learner), "read", None)
    monkeypatch.setattr("brainpid.model.pidreg.fitted.standardise", None)
    after = varying(np.array([1]), wide["fmri"][None, ::-1, [1]])
    assert np.isfinite(after).all()
    assert np.ptp(after - before) > 0
