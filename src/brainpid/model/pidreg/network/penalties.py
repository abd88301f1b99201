"""Differentiable penalties on latents: Gaussianity and conditional independence.

The loss of a network is ``MSE + alpha_cs sum_m CS(a_m) + alpha_joint HZ(a_1..a_M, g) + alpha_ci I(.;.|.)`` with

- ``CS``: Cauchy-Schwarz divergence of one latent to a standard normal (`cauchy_schwarz_to_normal`);
- ``HZ``: Henze-Zirkler statistic of joint normality of all latents and the target (`henze_zirkler`);
- ``I``: either the Gaussian information between two latents given the target (`gaussian_conditional_information`)
  or the Cauchy-Schwarz conditional dependence of the paper (`kernel_conditional_dependence`).

All functions work on stacks: the last two axes are rows and columns of a sample, axes before them are independent
samples (one per ensemble member) and stay. Kernel quantities are computed in log space with widths that grow with
the dimension, because a squared distance in d dimensions is about 2d: a width that ignores d underflows, and a
penalty whose kernel is exactly 0 has no gradient.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from brainpid.core.errors import NumericalError

Widths = tuple[float | Tensor, float | Tensor, float | Tensor]


def squared_distances(sample: Tensor, factor: float = 1.0) -> Tensor:
    """`factor` times squared Euclidean distances (..., n, n) between rows of (..., n, d); exact to rounding near 0."""
    # Centring first keeps the cancellation in |x|^2 + |y|^2 - 2xy harmless in float32; the norms ride along as two
    # more columns, and the factor with them, so that one matrix product does it all.
    centred = sample - sample.mean(-2, keepdim=True).detach()
    norms = centred.square().sum(-1, keepdim=True)
    ones = torch.ones_like(norms)
    return torch.cat([-2.0 * centred, norms, ones], -1).mul(factor) @ torch.cat([centred, ones, norms], -1).mT


def cauchy_schwarz_to_normal(latent: Tensor, width: float | None = None) -> Tensor:
    r"""Cauchy-Schwarz divergence between a latent sample and the standard normal distribution.

    ``CS = log mean k(P,P) + log mean k(Q,Q) - 2 log mean k(P,Q)`` with the kernel
    ``k(x, y) = exp(-|x - y|^2 / (2 s^2))``. The means that involve ``Q = N(0, I)`` are exact:
    ``E k(x,Q) = (s^2 / (s^2 + 1))^(d/2) exp(-|x|^2 / (2 (s^2 + 1)))`` and ``E k(Q,Q) = (s^2 / (s^2 + 2))^(d/2)``.

    Parameters
    ----------
    latent : Tensor, shape (..., n, d)
    width : float, optional
        Kernel width s; ``sqrt(d)`` by default, at which two standard normal points have a kernel of about 1/e in
        every dimension.

    Returns
    -------
    Tensor, shape (...)
        Divergence in nats, >= 0 (Cauchy-Schwarz inequality between the kernel mean embeddings).
    """
    n, d = latent.shape[-2:]
    s2 = float(d) if width is None else width**2
    # The kernel of a point with itself is 1, so that this sum needs no rescaling before its logarithm.
    pairs = torch.exp(squared_distances(latent, -0.5 / s2)).sum((-2, -1))
    within = pairs.log() - 2.0 * math.log(n)
    normal = 0.5 * d * math.log(s2 / (s2 + 2.0))
    exponents = -latent.square().sum(-1) / (2.0 * (s2 + 1.0))
    across = 0.5 * d * math.log(s2 / (s2 + 1.0)) + torch.logsumexp(exponents, -1) - math.log(n)
    return within + normal - 2.0 * across


def henze_zirkler(sample: Tensor, smoothing: float | None = None, shrinkage: float = 0.0) -> Tensor:
    r"""Henze-Zirkler statistic of joint normality.

    With ``D_ij`` the squared Mahalanobis distances between rows and ``D_i`` those to the mean,
    ``HZ = 1/n sum_ij exp(-b^2 D_ij / 2) - 2 (1 + b^2)^(-d/2) sum_i exp(-b^2 D_i / (2 (1 + b^2)))
    + n (1 + 2 b^2)^(-d/2)``. It is >= 0 and invariant to affine maps of the sample where `shrinkage` is 0.

    Parameters
    ----------
    sample : Tensor, shape (..., n, d)
        For the penalty, all latents and the target side by side.
    smoothing : float, optional
        The constant b. Default: ``(n (2d + 1) / 4)^(1 / (d + 4)) / sqrt(2)`` of Henze and Zirkler, for tests of
        few variables. A penalty should use ``1 / sqrt(d)``, which keeps the kernel near 1/e in every dimension.
    shrinkage : float
        Part of the (biased, divisor n) covariance that is replaced by its mean variance times the identity. A
        sample with n <= d has constant whitened distances, hence no gradient, unless this is above 0.

    Returns
    -------
    Tensor, shape (...)
        The statistic, without unit.

    Raises
    ------
    NumericalError
        Where the covariance is not positive definite.

    References
    ----------
    Henze and Zirkler 1990, Communications in Statistics 19:3595.
    """
    n, d = sample.shape[-2:]
    b2 = 0.5 * (n * (2 * d + 1) / 4) ** (2 / (d + 4)) if smoothing is None else smoothing**2
    centred = sample - sample.mean(-2, keepdim=True)
    factor = _cholesky(_shrink(centred.mT @ centred / n, shrinkage), n)
    whitened = torch.linalg.solve_triangular(factor, centred.mT, upper=False).mT
    pairs = torch.exp(squared_distances(whitened, -0.5 * b2)).sum((-2, -1)) / n
    singles = torch.exp(-whitened.square().sum(-1) * b2 / (2.0 * (1.0 + b2))).sum(-1)
    return pairs - 2.0 * (1.0 + b2) ** (-d / 2) * singles + n * (1.0 + 2.0 * b2) ** (-d / 2)


def kernel_conditional_dependence(
    target_of_dependence: Tensor, latent: Tensor, condition: Tensor, widths: Widths | None = None
) -> Tensor:
    r"""Cauchy-Schwarz divergence between ``p(t, z, c) p(c)`` and ``p(t, c) p(z, c)``.

    It is 0 where t and z are independent given c.

    With Gram matrices ``K`` of t, ``L`` of z, ``M`` of c and column sums ``m = sum_i M``, ``a = sum_i KM``,
    ``b = sum_i LM``, ``q = sum_i KLM`` it is the joint form
    ``-2 log sum(m a b) + log sum(q m^2) + log sum(a^2 b^2 / q)``, non-negative by the Cauchy-Schwarz inequality
    and exactly 0 on a sample that fills a product grid.

    Parameters
    ----------
    target_of_dependence, latent, condition : Tensor, shapes (..., n, d_t), (..., n, d_z), (..., n, d_c)
    widths : tuple of three floats or Tensors of shape (...), optional
        Kernel widths of the three blocks, in this order. Default: the median distance within each block, which
        grows with its dimension; no gradient passes through it.

    Returns
    -------
    Tensor, shape (...)
        Divergence in nats, >= 0 up to rounding.

    Notes
    -----
    With ``latent = f(condition) + independent noise`` the true value is 0 whatever the encoder does; what is left
    for an encoder to reduce is then sampling error. See `gaussian_conditional_information` for a regulariser with
    content.

    References
    ----------
    Yu et al. 2023, arXiv:2301.08970 (conditional Cauchy-Schwarz divergence); Ma and Yu 2025, arXiv:2512.22102.
    """
    given: tuple[float | Tensor | None, ...] = (None, None, None) if widths is None else widths
    blocks = (target_of_dependence, latent, condition)
    log_k, log_l, log_m = (_log_gram(block, width) for block, width in zip(blocks, given, strict=True))
    m = torch.logsumexp(log_m, -2)
    a = torch.logsumexp(log_k + log_m, -2)
    b = torch.logsumexp(log_l + log_m, -2)
    q = torch.logsumexp(log_k + log_l + log_m, -2)
    cross, own, product = (torch.logsumexp(s, -1) for s in (m + a + b, q + 2.0 * m, 2.0 * (a + b) - q))
    return own + product - 2.0 * cross


def gaussian_conditional_information(z1: Tensor, z2: Tensor, y: Tensor, shrinkage: float = 0.0) -> Tensor:
    r"""Information between two latents given the target, for jointly Gaussian variables.

    ``I(Z1; Z2 | Y) = 0.5 log2(|S_11.y| |S_22.y| / |S_12.y|)`` with ``S_.y`` the covariance of the residuals that a
    linear regression on y leaves, computed from the standardised residuals.

    Parameters
    ----------
    z1, z2 : Tensor, shapes (..., n, d_1), (..., n, d_2)
    y : Tensor, shape (..., n)
    shrinkage : float
        Part of each residual correlation matrix that is replaced by the identity; above 0 wherever
        ``d_1 + d_2`` is not far below n. Shrinking makes the value too small, never too large.

    Returns
    -------
    Tensor, shape (...)
        Information in bits, >= 0.

    Raises
    ------
    NumericalError
        Where the residual covariance is not positive definite.
    """
    n, d1 = z1.shape[-2:]
    joint = torch.cat([z1, z2], -1)
    joint = joint - joint.mean(-2, keepdim=True)
    centred = (y - y.mean(-1, keepdim=True)).unsqueeze(-1)
    residual = joint - centred * (centred.mT @ joint) / centred.square().sum(-2, keepdim=True)
    residual = residual / residual.square().mean(-2, keepdim=True).sqrt().clamp_min(torch.finfo(z1.dtype).tiny)
    covariance = _shrink(residual.mT @ residual / n, shrinkage)
    parts = (covariance[..., :d1, :d1], covariance[..., d1:, d1:], covariance)
    first, second, both = (2.0 * _cholesky(part, n).diagonal(dim1=-2, dim2=-1).log().sum(-1) for part in parts)
    return 0.5 * (first + second - both) / math.log(2.0)


def _log_gram(block: Tensor, width: float | Tensor | None) -> Tensor:
    """Log of the Gaussian Gram matrix (..., n, n) of a block (..., n, d); median distance as the default width."""
    distances = squared_distances(block)
    if width is None:
        n = block.shape[-2]
        upper = torch.triu_indices(n, n, 1, device=block.device)
        s2 = distances.detach()[..., upper[0], upper[1]].median(-1).values
        s2 = s2.clamp_min(torch.finfo(block.dtype).tiny)
    else:
        s2 = torch.as_tensor(width, dtype=block.dtype, device=block.device) ** 2
    return -distances / (2.0 * s2[..., None, None])


def _shrink(covariance: Tensor, shrinkage: float) -> Tensor:
    """Replace a part of a covariance (..., d, d) by its mean variance times the identity."""
    if shrinkage == 0.0:
        return covariance
    d = covariance.shape[-1]
    variance = covariance.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
    return (1.0 - shrinkage) * covariance + shrinkage * variance * torch.eye(
        d, dtype=covariance.dtype, device=covariance.device
    )


def _cholesky(covariance: Tensor, n: int) -> Tensor:
    """Lower Cholesky factor of (..., d, d), or an error that names n, d and the condition number."""
    factor, info = torch.linalg.cholesky_ex(covariance)
    if bool((info != 0).any()):
        d = covariance.shape[-1]
        first = covariance.detach().double().reshape(-1, d, d)[info.reshape(-1) != 0][0]
        if not bool(first.isfinite().all()):
            raise NumericalError(
                f"covariance of latents is not finite: n = {n}, d = {d}; lower the learning rate or look for extreme "
                "feature values"
            )
        eigenvalues = torch.linalg.eigvalsh(first)
        condition = float(eigenvalues[-1] / eigenvalues[0].clamp_min(torch.finfo(torch.float64).tiny))
        raise NumericalError(
            f"covariance of latents is not positive definite: n = {n}, d = {d}, condition number {condition:.3g}; "
            "use fewer latent dimensions, larger batches, or shrinkage above 0"
        )
    return factor
