r"""PIDReg: multimodal regression that comes with an information decomposition.

`PIDReg` maps features and target to normal scores ``g``. Several base learners predict the score from each modality and
from all: networks (`network`), Bayes' rule on normative models (`normative`), Gaussian processes and, where a `pilot`
finds them worth it, trees. `stacking` weighs them and predicts people who lack modalities.

Member e of the networks leaves out inner fold e of the training rows, and so do the other base learners' out-of-fold
predictions, so that every training row has a prediction and one scalar latent per modality from base learners that were
not fitted to it. Shared by all folds are the scaling of features, the ranks behind the normal scores, and a handful of
numbers: fusion weights, hyperparameters of the processes, the normative models' shrinkage, the base learners' weights.

References
----------
Ma and Yu 2025, arXiv:2512.22102.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainpid.core.arrays import FloatArray, IntArray, Modalities, among
from brainpid.core.errors import InputError
from brainpid.core.modalities import Subset, complete, presence
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.minima import fewest_of_ensemble
from brainpid.crossfit.site_folds import deal_sites, site_numbers
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.inputs import checked_training
from brainpid.model.matrix import Columns, Matrix
from brainpid.model.pidreg.atypicality import Atypicality
from brainpid.model.pidreg.base_learners import BaseLearner, TrainingPeople, base_learners_for, fit_base_learner
from brainpid.model.pidreg.base_predictions import BasePredictions
from brainpid.model.pidreg.fitted import FittedModel, fit_standardizers, patterns_of, standardise
from brainpid.model.pidreg.fusion import fusion
from brainpid.model.pidreg.model_file import ModelFileMixin
from brainpid.model.pidreg.network.device import device_of
from brainpid.model.pidreg.network.fit import NOBODY, fit_network
from brainpid.model.pidreg.new_sites import NewSites
from brainpid.model.pidreg.normative import Products
from brainpid.model.pidreg.options import ONE_NETWORK, checked_settings, chosen_recipe, options_of
from brainpid.model.pidreg.pilot import Pilot, run_pilot
from brainpid.model.progress import Callback, told

_LOG = logging.getLogger(__name__)
SHARED_LEAST = 10
"""People behind each value of the target, at least, in a model that is to be passed on."""


class PIDReg(ModelFileMixin):
    r"""Multimodal regression with information-weighted fusion.

    Parameters
    ----------
    modalities : mapping of str to columns, or None
        Which columns of one matrix or DataFrame belong to which modality: positions, a slice, or names. `X` is then
        that matrix in all methods, as in scikit-learn's pipelines and searches; with None it is a mapping of modality
        to table.
    recipe : {"auto", "compact", "expressive", "paper"}
        Where the options that are None come from, see `brainpid.model.pidreg.options`; ``paper`` is the published
        model, one network on all training people.
    bins : int or None
        Bins of the piecewise-linear encoding of features, see `brainpid.model.pidreg.network.encoding`; 0 takes
        features as they are.
    latent_dim : int or None
        Dimension d of the latents, the same for all modalities.
    hidden : tuple of int or None
        Hidden widths of each encoder.
    head : tuple of int or None
        Hidden widths of the head; empty for a linear head.
    dropout : float or None
        In the hidden layers.
    signal : float or None
        Initial lambda of the noisy bottleneck, which is learned; 1 switches the bottleneck off.
    members : int
        Number of networks, and of inner folds unless there are fewer groups. With ``paper`` they predict training
        people out of fold, beside the one network that predicts new people.
    epochs, batch_size, learning_rate, weight_decay
        See `brainpid.model.pidreg.network.training.TrainingOptions`; the learning rate is the peak of a one-cycle
        schedule. None for the recipe's.
    alpha_readout : float or None
        Part of the gradient of the per-modality readouts that reaches the encoders.
    alpha_cs, alpha_joint, alpha_ci : float or None
        Weights of the penalties: marginal Gaussianity, joint Gaussianity, conditional independence.
    conditional : {"gaussian", "kernel"} or None
        Form of the conditional-independence penalty: ``I(Z_m; Z_k | Y)``, or the paper's
        ``I(Z_m; X_k | X_m)`` as a Cauchy-Schwarz divergence.
    fusion : {"pid", "latents", "equal"} or None
        Fusion weights from the decomposition of ridge predictions or of the networks' own latents, or 1/M each without
        a product term.
    target_transform : {"normal_scores", "none"} or None
        With ``none`` the target is only centred and scaled.
    feature_transform : {"auto", "normal_scores", "none"} or None
        With ``normal_scores`` features enter as normal scores of the training people, with ``none`` centred and scaled;
        ``auto`` is ``none`` where the pilot finds trees worth fitting.
    experts : tuple of {"auto", "normative", "normative_scores", "kernel", "forest", "boosting"}, regressors, mappings
        Base learners beside the network; ``auto`` takes those that suit the number of people, an empty tuple none. A
        regressor of scikit-learn's kind, or a mapping ``{"import": "package.Class", "keyword": value}`` that describes
        one, is fitted to standardised features and scores of the target, on each modality and on all.
    device : {"auto", "cpu", "cuda"}
        Where the networks are trained; ``auto`` is a GPU where torch sees one. Random numbers are those of the CPU.
    share : bool
        Whether the model is to be passed on: its file then holds nobody, see `save`.
    random_state : int or None
        Seed of everything random; None draws one from the operating system.

    Attributes
    ----------
    modalities_ : tuple of str
        In the order of the mapping that was fitted.
    columns_ : dict of str to tuple of int
        Positions of each modality's columns in the matrix; as the next two only with the parameter `modalities`.
    n_features_in_ : int
        Columns of the matrix.
    feature_names_in_ : ndarray of str, shape (p,)
        Their names, where it was a DataFrame with names that are text.
    recipe_ : str
        The recipe that was used.
    feature_transform_ : str
        That of the features.
    pilot_ : dict of str to float
        ``fall``: part of the squared error that trees took away in the pilot; ``spread``: its standard error.
    fusion_weights_ : dict of str to float
    synergy_weight_ : float
        Weight of the product term; all weights sum to 1.
    expert_weights_ : dict of str to float
        Weight of each base learner's prediction from all modalities, and of the head on the scalar latents.
    device_ : str
        Where the networks were trained, ``cpu`` or ``cuda``.
    out_of_fold_prediction_ : ndarray, shape (n_train,)
        Prediction of each training person by base learners and weights that had not seen that person, from the
        modalities that the person has, in the target's units; NaN for people without any modality.
    out_of_fold_subsets_ : dict of tuple of str to ndarray, shape (n_train,)
        The same from every subset of the modalities, NaN for people who lack one of it.
    left_out_subsets_ : dict of tuple of str to ndarray, shape (n_train,)
        As `out_of_fold_subsets_`, by base learners and weights without the person's site; empty where nothing was
        learned of new sites.
    out_of_fold_latents_ : dict of str to ndarray, shape (n_train,)
        The same for the scalar latents; NaN where the modality is missing.
    out_of_fold_target_ : ndarray, shape (n_train,)
        The target they belong to, in its units. A model that was shared comes back without these five.
    sites_ : tuple of str
        Names of the training sites; there where sites were given.
    history_ : list of dict
        One entry per epoch: loss terms, learning rate, error and information on people who were left out, weights.

    Notes
    -----
    A modality is missing for a person whose row in it is all NaN; single missing cells are imputed. Everybody with at
    least one modality is used and predicted. The result does not depend on the order of the modalities in `X`.

    With `modalities` it keeps scikit-learn's rules, but that an ensemble needs two people a member: `check_estimator`,
    which fits 10, passes with up to 5 members.

    A fitted model holds its training people: a Gaussian process their standardised features, a leaf of a forest one
    person's score, the map of normal scores every distinct target; and there are out-of-fold predictions. Its file is
    as confidential as the data, unless it was fitted with ``share=True``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X = np.random.default_rng(0).normal(size=(40, 6))
    >>> model = PIDReg(modalities={"t1": slice(0, 4), "dwi": [4, 5]}, members=2, epochs=2, experts=())
    >>> make_pipeline(StandardScaler(), model).fit(X, X.sum(axis=1)).predict(X[:3]).shape
    (3,)
    """

    def __init__(
        self,
        *,
        modalities: Mapping[str, Columns] | None = None,
        recipe: str = "auto",
        bins: int | None = None,
        latent_dim: int | None = None,
        hidden: tuple[int, ...] | None = None,
        head: tuple[int, ...] | None = None,
        dropout: float | None = None,
        signal: float | None = None,
        members: int = 10,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        alpha_readout: float | None = None,
        alpha_cs: float | None = None,
        alpha_joint: float | None = None,
        alpha_ci: float | None = None,
        conditional: str | None = None,
        fusion: str | None = None,
        target_transform: str | None = None,
        feature_transform: str | None = None,
        experts: tuple[Any, ...] | None = None,
        device: str = "auto",
        share: bool = False,
        random_state: int | None = 0,
    ) -> None:
        self.modalities = modalities
        self.recipe = recipe
        self.bins = bins
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.head = head
        self.dropout = dropout
        self.signal = signal
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
        self.feature_transform = feature_transform
        self.experts = experts
        self.device = device
        self.share = share
        self.random_state = random_state

    def fit(
        self,
        X: Modalities | Matrix,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        callback: Callback | None = None,
        sites: ArrayLike | None = None,
    ) -> Self:
        """Fit to training people.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m)
            Features of two or more modalities, any units; NaN marks a missing cell, a row of NaN a missing modality.
            With the parameter `modalities` one matrix (n, p).
        y : array_like, shape (n,)
            Target, in its units.
        groups : array_like, shape (n,), optional
            People of one group are left out together.
        callback : callable, optional
            Called with a mapping after each step: ``stage``, ``step`` and ``of``. The stages are ``pilot`` (with
            ``fall`` and ``spread``), ``network`` (an epoch a step, with its ``record`` of `history`), ``base learners``
            (with the ``name``) and ``calibration``. What it raises ends the fit.
        sites : array_like of str, shape (n,), optional
            Site of each person, NaN where it is not known; their names are remembered, and with three or more of them
            inner folds that leave sites out tell how people of other sites are predicted and how sure that is.

        Raises
        ------
        InputError
            Where an option is invalid, there are fewer than two modalities, row counts differ, the target is not
            finite or constant, there is one group only, or fewer people have every modality than
            `brainpid.crossfit.minima.fewest_of_ensemble` says.
        NumericalError
            Where a loss term is not finite.
        """
        settings, own, device = checked_settings(self.get_params()), self._own, device_of(self.device)
        layout, features, y, group = checked_training(*self._training_modalities(X, y), groups, sites)
        own_site = self._remember_sites(sites, len(y))
        n_rows, present = len(y), presence(features)
        members, n_complete = settings.members, int(present.all(axis=1).sum())
        if n_complete < (least := fewest_of_ensemble(members, len(layout.modalities))):
            found = f"{n_complete} people have every modality ({', '.join(layout.modalities)})"
            raise InputError(f"{found}; expected at least {least} for {members} members")
        some = np.asarray(present.any(axis=1))
        if not present.all():
            _LOG.info(
                "%d of %d people lack a modality, %d of them have none and are left out",
                n_rows - n_complete, n_rows, int((~some).sum()),
            )  # fmt: skip
        known, group = y[some], group[some]
        seeds = np.random.SeedSequence(self.random_state).spawn(3 + 2 * (members + 1))
        fold = stratified_folds(known, members, np.random.default_rng(seeds[0]), group)
        everybody = {m: block[some] for m, block in features.items()}
        first = "none" if settings.feature_transform == "none" else "normal_scores"
        standardizers = fit_standardizers(features, first, self._least)
        blocks = standardise(everybody, standardizers)
        training = TrainingPeople(
            blocks, known, NormalScores.fit(known, self._least), fold, seeds[2], Products(blocks, fold), self._least
        )
        pilot = run_pilot(training) if "auto" in (settings.recipe, *(settings.experts or ())) else Pilot()
        self.pilot_ = asdict(pilot)
        told(callback, "pilot", 1, 1, **self.pilot_)
        self.feature_transform_ = "none" if pilot.trees and settings.feature_transform == "auto" else first
        if self.feature_transform_ != first:
            standardizers = fit_standardizers(features, self.feature_transform_, self._least)
            blocks = standardise(everybody, standardizers)
            training = replace(training, blocks=blocks, products=Products(blocks, fold))
        self.recipe_ = chosen_recipe(settings.recipe, len(known), pilot.trees)
        one_network = self.recipe_ in ONE_NETWORK
        names = base_learners_for(pilot.trees, settings.named_base_learners, self.share)
        learners: dict[str, Any] = dict.fromkeys(names) | own
        options = options_of(settings, self.recipe_, pilot.target_transform, len(known))
        if options["target_transform"] == "none":
            training = replace(training, target_map=NormalScores.straight(known))
        scores = training.target_map.transform(known)
        weights = fusion(blocks, scores, options["fusion"], np.random.default_rng(seeds[1]), group)
        left_out = [member % (int(fold.max()) + 1) for member in range(members)]  # folds are fewer where groups are
        left_out += [NOBODY] if one_network else []
        network, self.history_ = fit_network(
            blocks, scores, fold, left_out, options, weights, seeds[3 : 3 + 2 * len(left_out)], callback, device
        )
        predictions = [network.leave_out(blocks, fold, left_out)]
        network = network.only(members) if one_network else network
        base_learners: dict[str, BaseLearner] = {"network": network}
        for step, (name, regressor) in enumerate(learners.items(), 1):
            base_learners[name], out_of_fold = fit_base_learner(name, training, regressor)
            predictions.append(out_of_fold)
            told(callback, "base learners", step, len(learners), name=name)
        self._fitted, unseen = FittedModel.calibrate(
            layout, standardizers, training.target_map, base_learners, predictions, known, fold, self._least,
            alone=one_network and not learners,
        )  # fmt: skip

        def again(site_fold: IntArray) -> BasePredictions:
            folds = np.unique(site_fold).tolist()
            pairs = np.random.SeedSequence(seeds[2].generate_state(4).tolist()).spawn(2 * len(folds))
            args = options, weights, pairs, None, device
            return fit_network(blocks, scores, site_fold, folds, *args)[0].leave_out(blocks, site_fold, folds)

        told_by = dict(zip(base_learners, predictions, strict=True))
        left_out_of = self._learn_new_sites(
            training, own_site[some], group, told_by, own, again, one_network and not learners
        )
        self._atypicality = Atypicality.fit(blocks, known, fold, np.random.default_rng(seeds[2]), self._least)
        self.modalities_, self.device_ = layout.modalities, device
        by_modality, self.synergy_weight_ = network.weights()
        self.fusion_weights_ = {m: by_modality[list(blocks).index(m)] for m in layout.modalities}
        together = self._fitted.stack.weights[:, -1].tolist()
        self.expert_weights_ = dict(zip([*base_learners, "head"], together, strict=True))
        self.out_of_fold_target_ = y
        self.out_of_fold_prediction_ = among(unseen.prediction, some)
        self.out_of_fold_subsets_ = {subset: among(found, some) for subset, found in unseen.subsets.items()}
        self.left_out_subsets_ = {subset: among(found, some) for subset, found in left_out_of.items()}
        self.out_of_fold_latents_ = {m: among(latent, some) for m, latent in unseen.latents.items()}
        told(callback, "calibration", 1, 1)
        return self

    def _learn_new_sites(
        self,
        training: TrainingPeople,
        sites: NDArray[np.object_],
        group: IntArray,
        predictions: Mapping[str, BasePredictions],
        own: Mapping[str, Any],
        networks: Callable[[IntArray], BasePredictions],
        alone: bool,
    ) -> dict[Subset, FloatArray]:
        """Learn from training sites that are left out how people of others are predicted; what is predicted of them."""
        fold = deal_sites(sites, training.y, complete(training.blocks), 0, group)
        if fold is None:
            return {}
        fitted, leaving, (site, _) = self._fitted, replace(training, fold=fold), site_numbers(sites)
        new_sites, told_of = NewSites.fit(
            leaving, site, fitted.base_learners, own, predictions, lambda: networks(fold), fitted.stack,
            patterns_of(fitted.layout.modalities), alone,
        )  # fmt: skip
        self._fitted = replace(fitted, new_sites=new_sites)
        return told_of

    def history(self) -> list[dict[str, float]]:
        """Course of the training, one record an epoch."""
        return self.history_

    @property
    def _least(self) -> int:
        """People behind each value of the target that is kept."""
        return SHARED_LEAST if self.share else 1
