r"""AdamW under a one-cycle learning rate.

The rate rises along a half cosine from a 25th of its peak to the peak over the first three tenths of the steps, and
falls along another to a 250,000th of it; the decay rate of the first moment falls from .95 to .85 and rises again.

This is `torch.optim.AdamW` with `torch.optim.lr_scheduler.OneCycleLR`, by the function that the former calls. Their
classes import torch's compiler, a second of every process, which is not used here.

References
----------
Loshchilov & Hutter 2019, arXiv:1711.05101 (AdamW); Smith & Topin 2019, arXiv:1708.07120 (one cycle).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.optim.adamw import adamw

RISE = 0.3
"""Part of the steps in which the rate rises."""
FIRST, LAST = 1 / 25, 1 / 250_000
"""Of the peak: the first rate and the last."""
MOST_MEMORY, LEAST_MEMORY = 0.95, 0.85
"""Decay rate of the first moment where the rate is small, and at its peak."""
SECOND_MOMENT, TINY = 0.999, 1e-8


class OneCycleAdamW:
    """Optimiser of a training whose number of steps is known.

    Parameters
    ----------
    parameters : sequence of Parameter
    peak : float
        Largest learning rate.
    weight_decay : float
        Decoupled weight decay.
    steps : int
        Of the whole training.

    Attributes
    ----------
    rate : float
        Learning rate of the next step.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], peak: float, weight_decay: float, steps: int) -> None:
        self._parameters, self._peak, self._decay, self._steps = list(parameters), peak, weight_decay, steps
        self._means, self._squares = ([torch.zeros_like(p) for p in self._parameters] for _ in range(2))
        self._taken = [torch.zeros((), dtype=torch.float32, device=p.device) for p in self._parameters]
        self._step = 0
        self.rate, self._memory = self._at(0)

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameters by their gradients, and forget these."""
        given = [place for place, p in enumerate(self._parameters) if p.grad is not None]
        adamw(
            [self._parameters[place] for place in given],
            [grad for place in given if (grad := self._parameters[place].grad) is not None],
            [self._means[place] for place in given],
            [self._squares[place] for place in given],
            [],
            [self._taken[place] for place in given],
            fused=True,
            amsgrad=False,
            beta1=self._memory,
            beta2=SECOND_MOMENT,
            lr=self.rate,
            weight_decay=self._decay,
            eps=TINY,
            maximize=False,
        )
        for p in self._parameters:
            p.grad = None
        self._step += 1
        self.rate, self._memory = self._at(self._step)

    def _at(self, step: int) -> tuple[float, float]:
        """Learning rate and decay rate of the first moment of a step."""
        top = RISE * self._steps - 1
        if step <= top:
            along = step / top if top else 0.0
            return self._between(FIRST, 1.0, along), _cosine(MOST_MEMORY, LEAST_MEMORY, along)
        along = (step - top) / (self._steps - 1 - top)
        return self._between(1.0, LAST, along), _cosine(LEAST_MEMORY, MOST_MEMORY, along)

    def _between(self, start: float, end: float, along: float) -> float:
        return _cosine(start * self._peak, end * self._peak, along)


def _cosine(start: float, end: float, along: float) -> float:
    """A half cosine from one value to another."""
    return end + (start - end) / 2 * (math.cos(math.pi * along) + 1)
