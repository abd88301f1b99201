r"""PIDReg: multimodal regression whose fusion weights and latents come with an information decomposition.

`PIDReg` standardises each modality, maps the target to normal scores ``g``, trains a cross-fitted ensemble of networks
(`brainpid.networks`, `brainpid.training`) and predicts the mean of its members, mapped back to the target's units.
Member e leaves out inner fold e of the training rows, so that every training row has a prediction and one scalar
latent per modality from a network that was not trained on it. Only the scaling of features, the ranks behind the
normal scores and the fusion weights (a handful of numbers) are shared by all members.

References
----------
Ma and Yu 2025, arXiv:2512.22102.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from brainpid import pid
from brainpid.arrays import FloatArray, Modalities
from brainpid.crossfit import stratified_folds
from brainpid.errors import InputError
from brainpid.files import atomic_path
from brainpid.fitted_ensemble import FittedEnsemble, arrays, run_network, tensors
from brainpid.fusion import ridge_fusion_weights
from brainpid.hyperparameters import check_hyperparameters, plain_values
from brainpid.inputs import Layout, checked_target, complete_rows
from brainpid.networks import Architecture, Ensemble, MemberRandom
from brainpid.training import Recipe, train
from brainpid.transforms import NormalScores, Standardizer, normal_scores
from brainpid.uncertainty import conformal_half_width

_FILE = "model.pt"


class PIDReg(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    r"""Multimodal regression with information-weighted fusion.

    Parameters
    ----------
    latent_dim : int
        Dimension d of the latents, the same for all modalities.
    hidden : tuple of int
        Hidden widths of each encoder.
    head : tuple of int
        Hidden widths of the head; empty for a linear head.
    dropout : float
        In the hidden layers, in [0, 1).
    input_dropout : float
        Of the features, in [0, 1).
    skip : bool
        Whether each encoder has a linear map beside its perceptron.
    signal : float
        Initial lambda of the noisy bottleneck, in (0, 1]; 1 switches the bottleneck off.
    learn_signal : bool
        Whether lambda is learned.
    members : int
        Number of networks, and of inner folds.
    epochs, batch_size, learning_rate, weight_decay
        See `brainpid.training.Recipe`; the learning rate is the peak of a one-cycle schedule.
    alpha_readout : float
        Part of the gradient of the per-modality readouts that reaches the encoders.
    alpha_cs, alpha_joint, alpha_ci : float
        Weights of the penalties: marginal Gaussianity, joint Gaussianity, conditional independence.
    conditional : {"gaussian", "kernel"}
        Form of the conditional-independence penalty: ``I(Z_m; Z_k | Y)``, or the paper's
        ``I(Z_m; X_k | X_m)`` as a Cauchy-Schwarz divergence.
    fusion : {"pid", "equal"}
        Fusion weights from the decomposition, or 1/M each without a product term.
    target_transform : {"normal_scores", "none"}
        With ``none`` the target is only centred and scaled.
    random_state : int or None
        Seed of everything random; None draws one from the operating system.

    Attributes
    ----------
    modalities_ : tuple of str
        In the order of the mapping that was fitted.
    fusion_weights_ : dict of str to float
    synergy_weight_ : float
        Weight of the product term; all weights sum to 1.
    out_of_fold_prediction_ : ndarray, shape (n_train,)
        Prediction of each training person by the member that left that person out, in the target's units; NaN for
        people who were left out of the fit.
    out_of_fold_latents_ : dict of str to ndarray, shape (n_train,)
        The same for the scalar latents.
    out_of_fold_target_ : ndarray, shape (n_train,)
        The target they belong to, in its units.
    history_ : list of dict
        One entry per epoch: loss terms and learning rate.

    Notes
    -----
    A modality is missing for a person whose row in it is all NaN; single missing cells are imputed. People with a
    missing modality are left out of the fit and get a NaN prediction, with a logged warning. The result does not
    depend on the order of the modalities in `X`.
    """

    def __init__(
        self,
        *,
        latent_dim: int = 16,
        hidden: tuple[int, ...] = (128,),
        head: tuple[int, ...] = (),
        dropout: float = 0.4,
        input_dropout: float = 0.0,
        skip: bool = False,
        signal: float = 1.0,
        learn_signal: bool = True,
        members: int = 10,
        epochs: int = 40,
        batch_size: int = 128,
        learning_rate: float = 1e-2,
        weight_decay: float = 1.0,
        alpha_readout: float = 0.3,
        alpha_cs: float = 0.1,
        alpha_joint: float = 0.0,
        alpha_ci: float = 0.0,
        conditional: str = "gaussian",
        fusion: str = "pid",
        target_transform: str = "normal_scores",
        random_state: int | None = 0,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.head = head
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.skip = skip
        self.signal = signal
        self.learn_signal = learn_signal
        self.members = members
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.alpha_readout = alpha_readout
        self.alpha_cs = alpha_cs
        self.alpha_joint = alpha_joint
        self.alpha_ci = alpha_ci
        self.conditional = conditional
        self.fusion = fusion
        self.target_transform = target_transform
        self.random_state = random_state

    def fit(self, X: Modalities, y: ArrayLike) -> Self:
        """Fit to training people.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m)
            Features of two or more modalities, any units; NaN marks a missing cell.
        y : array_like, shape (n,)
            Target, in its units.

        Raises
        ------
        InputError
            Where an option is invalid, there are fewer than two modalities, row counts differ, the target is not
            finite or constant, or fewer than ``2 * members`` people have every modality.
        NumericalError
            Where a loss term is not finite.
        """
        check_hyperparameters(self.get_params())
        layout, blocks = Layout.fit(X)
        target = checked_target(y, len(next(iter(blocks.values()))))
        complete = complete_rows(blocks, "left out of the fit")
        if (n := int(complete.sum())) < 2 * self.members:
            raise InputError(
                f"{n} people have every modality ({', '.join(layout.modalities)}); expected at least "
                f"{2 * self.members}, twice the number of members"
            )
        # Sorted names make the result independent of the mapping's order.
        fitted = {name: blocks[name][complete] for name in sorted(blocks)}
        self.modalities_ = layout.modalities
        standardizers = {name: Standardizer.fit(block) for name, block in fitted.items()}
        standardised = {name: standardizers[name].transform(block) for name, block in fitted.items()}
        known = target[complete]
        target_map = (
            NormalScores.fit(known) if self.target_transform == "normal_scores" else NormalScores.straight(known)
        )
        scores = target_map.transform(known)

        seeds = np.random.SeedSequence(self.random_state).spawn(2 + 2 * self.members)
        weights = self._weights(standardised, scores, np.random.default_rng(seeds[0]))
        self.fusion_weights_ = {name: weights.modalities[name] for name in self.modalities_}
        self.synergy_weight_ = weights.synergy
        fold = stratified_folds(scores, self.members, np.random.default_rng(seeds[1]))
        initial, course = (_member_random(seeds[k::2]) for k in (2, 3))
        inputs = [torch.from_numpy(block.astype(np.float32)) for block in standardised.values()]
        network = Ensemble(self._architecture(standardised, weights), initial)
        rows = [torch.from_numpy(np.flatnonzero(fold != member)) for member in range(self.members)]
        goal = torch.from_numpy(scores.astype(np.float32))
        self.history_ = train(network, inputs, goal, rows, course, self._recipe())
        self._fitted = FittedEnsemble(layout, standardizers, target_map, network)

        # What is kept of each training person comes from the member that left that person out.
        predictions, readouts = run_network(network, inputs)
        people = np.arange(len(fold))
        self.out_of_fold_target_ = target
        self.out_of_fold_prediction_ = np.full(len(complete), np.nan)
        self.out_of_fold_prediction_[complete] = target_map.inverse_transform(predictions[fold, people])
        self.out_of_fold_latents_ = self._fitted.by_modality(readouts[fold, people], complete)
        return self

    def predict(self, X: Modalities) -> FloatArray:
        """Predict targets (n,), in the target's units; NaN for people who lack a modality.

        Raises
        ------
        InputError
            Where `X` does not have the modalities and features that were fitted.
        """
        check_is_fitted(self, "history_")
        found = self._fitted.run(X)
        predicted = np.full(len(found.complete), np.nan)
        predicted[found.complete] = self._fitted.target_map.inverse_transform(found.predictions.mean(0))
        return predicted

    def predict_interval(self, X: Modalities, coverage: float = 0.9) -> FloatArray:
        """Prediction intervals (n, 2) in the target's units, as wide as the out-of-fold errors of training people.

        See `brainpid.uncertainty.conformal_half_width` for what the coverage means.
        """
        known = np.isfinite(self.out_of_fold_prediction_)
        half = conformal_half_width(self.out_of_fold_prediction_[known], self.out_of_fold_target_[known], coverage)
        return self.predict(X)[:, None] + np.array([-half, half])

    def scalar_latents(self, X: Modalities) -> dict[str, FloatArray]:
        """Each modality's own prediction of the normal score, from its latent alone.

        Returns
        -------
        dict of str to ndarray, shape (n,)
            Mean over members, on the normal-score scale; NaN for people who lack a modality.
        """
        check_is_fitted(self, "history_")
        found = self._fitted.run(X)
        return self._fitted.by_modality(found.readouts.mean(0), found.complete)

    def decompose(
        self, X: Modalities, y: ArrayLike, measure: pid.Measure = "mmi", confidence: float = 0.95
    ) -> pid.Decomposition:
        """Decompose the information of the scalar latents about the target, on people it was not fitted on.

        People who lack a modality are left out. Their own normal scores stand for the target.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m)
        y : array_like, shape (n,)
        measure : {"mmi", "idep"}
        confidence : float
        """
        latents = self.scalar_latents(X)
        target = checked_target(y, len(next(iter(latents.values()))))
        known = np.isfinite(np.stack(list(latents.values()))).all(0)
        return pid.decompose(
            {name: latent[known] for name, latent in latents.items()}, normal_scores(target[known]), measure, confidence
        )

    def history(self) -> list[dict[str, float]]:
        """Course of the training, one record an epoch."""
        return self.history_

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to ``model.pt``: tensors and plain containers, whole or not at all."""
        state = {
            "parameters": plain_values(self.get_params()),
            "fitted": self._fitted.state(),
            "fusion_weights": self.fusion_weights_,
            "synergy_weight": self.synergy_weight_,
            "out_of_fold_prediction": torch.from_numpy(self.out_of_fold_prediction_),
            "out_of_fold_target": torch.from_numpy(self.out_of_fold_target_),
            "out_of_fold_latents": tensors(self.out_of_fold_latents_),
            "history": self.history_,
        }
        with atomic_path(Path(folder) / _FILE) as part:
            torch.save(state, part)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that `save` wrote; its predictions are bit-identical. Nothing in the file is executed."""
        path = Path(folder) / _FILE
        if not path.is_file():
            raise InputError(f"{path}: the file does not exist; expected a model that PIDReg.save wrote")
        state = torch.load(path, weights_only=True)
        model = cls(**state["parameters"])
        model._fitted = FittedEnsemble.from_state(state["fitted"])
        model.modalities_ = model._fitted.layout.modalities
        model.fusion_weights_ = state["fusion_weights"]
        model.synergy_weight_ = state["synergy_weight"]
        model.out_of_fold_prediction_ = state["out_of_fold_prediction"].numpy()
        model.out_of_fold_target_ = state["out_of_fold_target"].numpy()
        model.out_of_fold_latents_ = arrays(state["out_of_fold_latents"])
        model.history_ = state["history"]
        return model

    def _weights(
        self, blocks: dict[str, FloatArray], scores: FloatArray, rng: np.random.Generator
    ) -> pid.FusionWeights:
        if self.fusion == "equal":
            return pid.FusionWeights(dict.fromkeys(blocks, 1.0 / len(blocks)), 0.0, informative=False)
        return ridge_fusion_weights(blocks, scores, rng)

    def _architecture(self, blocks: dict[str, FloatArray], weights: pid.FusionWeights) -> Architecture:
        """Shape of the networks, modalities in the order of the standardised blocks."""
        options = plain_values(self.get_params())
        taken = ("hidden", "latent_dim", "head", "dropout", "input_dropout", "skip", "signal", "learn_signal")
        return Architecture(
            features=tuple(block.shape[1] for block in blocks.values()),
            alpha_readout=options["alpha_readout"],
            weights=tuple(weights.modalities[name] for name in blocks),
            synergy=weights.synergy,
            **{name: options[name] for name in taken},
        )

    def _recipe(self) -> Recipe:
        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            alpha_cs=self.alpha_cs,
            alpha_joint=self.alpha_joint,
            alpha_ci=self.alpha_ci,
            conditional=self.conditional,
        )


def _member_random(seeds: list[np.random.SeedSequence]) -> MemberRandom:
    return MemberRandom([int(seed.generate_state(1, np.uint64)[0] >> np.uint64(1)) for seed in seeds])
