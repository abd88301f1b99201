"""A device that is asked for is used or refused in words; nothing but rounding hangs on it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainpid.core.errors import InputError
from brainpid.model import PIDReg
from brainpid.model.pidreg.network import ensemble, fit, penalties
from brainpid.model.pidreg.network.device import device_of
from brainpid.model.pidreg.network.layers import MemberRandom
from brainpid.model.pidreg.network.training import loss_terms

QUICK = {"recipe": "compact", "latent_dim": 4, "hidden": (8,), "members": 3, "epochs": 3, "experts": ()}


def people(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = {"dwi": rng.normal(size=(n, 2)), "t1": rng.normal(size=(n, 3))}
    return X, 50 + 6 * X["t1"][:, 0] + rng.normal(size=n)


@pytest.mark.parametrize(("there", "found"), [(False, ["cpu", "cpu", None]), (True, ["cuda", "cpu", "cuda"])])
def test_a_gpu_is_taken_where_there_is_one(monkeypatch, there, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert [device_of("auto"), device_of("cpu")] == found[:2]
    if there:
        assert device_of("cuda") == "cuda"
    else:
        with pytest.raises(InputError, match=r"device: expected a GPU, found that torch \S+ (is built without|sees)"):
            device_of("cuda")


def test_what_is_no_device_is_refused():
    X, y = people()
    with pytest.raises(InputError, match="device: expected auto, cpu or cuda, found 'gpu'"):
        PIDReg(**QUICK, device="gpu").fit(X, y)


@pytest.mark.parametrize("form", ["gaussian", "kernel"])
def test_everything_that_is_trained_on_is_put_on_the_device(form, monkeypatch):
    """The device `meta` computes nothing and refuses what lies elsewhere: a stand-in for a GPU."""
    X, y = people()
    random = MemberRandom([1, 2], "meta")
    rows = [torch.arange(5), torch.arange(5)]
    assert {random.normal(3).device.type, random.dropout_mask(0.5, 3, 4).device.type} == {"meta"}
    assert random.shuffled(rows, 4).device.type == "meta"
    seen = {}

    def spy(network, inputs, scores, present, rows, course, options, watch, callback, own):
        given = [*inputs, scores, present, *watch.inputs, *network.parameters(), *network.buffers()]
        seen.update(devices={tensor.device.type for tensor in given})
        order = course.shuffled(rows, 8)
        outputs = network([block[order] for block in inputs], course)
        terms = loss_terms(outputs, [block[order] for block in inputs], scores[order], present[order], options)
        seen["devices"] |= {term.device.type for term in terms.values()}
        raise KeyboardInterrupt

    monkeypatch.setattr(fit, "train", spy)
    monkeypatch.setattr(penalties, "_cholesky", lambda matrix, n: torch.linalg.cholesky_ex(matrix).L)  # it reads values
    monkeypatch.setattr("brainpid.model.pidreg.estimator.device_of", lambda wanted: "meta")
    with pytest.raises(KeyboardInterrupt):
        PIDReg(**QUICK, signal=0.5, alpha_cs=0.1, alpha_joint=0.1, alpha_ci=0.1, conditional=form).fit(X, y)
    assert seen["devices"] == {"meta"}


def test_a_saved_model_is_read_on_the_cpu(monkeypatch, tmp_path):
    X, y = people()
    used = []
    run = ensemble.run_network
    monkeypatch.setattr(
        ensemble, "run_network", lambda network, blocks, device: used.append(device) or run(network, blocks)
    )
    monkeypatch.setattr("brainpid.model.pidreg.estimator.device_of", lambda wanted: "cpu")
    model = PIDReg(**QUICK, device="auto").fit(X, y)
    assert model.device_ == "cpu"
    object.__setattr__(model._fitted.base_learners["network"], "device", "cuda")
    before = model.predict(X)
    model.save(tmp_path)
    assert torch.load(tmp_path / "model.pt", weights_only=True)["kept"]["device_"] == "cpu"
    again = PIDReg.load(tmp_path)
    np.testing.assert_array_equal(again.predict(X), before)
    assert used == ["cpu", "cuda", "cpu"]
