"""The optimiser is torch's, without the time that torch's own takes to be loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from brainpid.model.pidreg.network.optimiser import OneCycleAdamW


@pytest.mark.parametrize("steps", [3, 10, 57])
def test_it_moves_as_torch_s_own(steps):
    random = torch.Generator().manual_seed(0)
    goal, start = (torch.randn(4, 3, generator=random) for _ in range(2))
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    unused = torch.nn.Parameter(torch.ones(2))
    own = OneCycleAdamW([ours, unused], 0.1, 0.02, steps)
    reference = torch.optim.AdamW([theirs], lr=0.1, weight_decay=0.02, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(reference, max_lr=0.1, total_steps=steps)
    for step in range(steps):
        assert own.rate == pytest.approx(schedule.get_last_lr()[0], rel=1e-12)
        (ours - goal).square().sum().backward()
        own.step()
        assert ours.grad is None
        reference.zero_grad()
        (theirs - goal).square().sum().backward()
        reference.step()
        if step + 1 < steps:
            schedule.step()
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7)
    assert unused.tolist() == [1.0, 1.0]  # without a gradient it does not decay either


def test_the_compiler_of_torch_is_not_loaded():
    code = (
        "import sys, torch\n"
        "from brainpid.model.pidreg.network.optimiser import OneCycleAdamW\n"
        "p = torch.nn.Parameter(torch.ones(2)); o = OneCycleAdamW([p], .1, .1, 5)\n"
        "p.sum().backward(); o.step(); sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
