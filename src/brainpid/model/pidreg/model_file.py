"""A fitted PIDReg as files of a folder, what of it is kept, and what is said of the choices that it made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from brainpid.model.matrix import FITTED as MATRIX_FITTED
from brainpid.model.pidreg.atypicality import Atypicality
from brainpid.model.pidreg.base_learners import BaseLearner
from brainpid.model.pidreg.fitted import FittedModel
from brainpid.model.pidreg.new_people import NewPeopleMixin
from brainpid.model.pidreg.own_files import read_all, write_own
from brainpid.model.pidreg.own_regressor import names_of
from brainpid.model.pidreg.state import complete_state, read_state, to_arrays, to_tensors, write_state
from brainpid.model.settings import plain_values

_FILE = "model.pt"
_CHOSEN = (
    "recipe_",
    "feature_transform_",
    "pilot_",
    "fusion_weights_",
    "synergy_weight_",
    "expert_weights_",
    "device_",
)
_KEPT = ("modalities_", "sites_", *MATRIX_FITTED, *_CHOSEN, "history_")
_KEPT_OF_PEOPLE = (
    "out_of_fold_prediction_",
    "out_of_fold_subsets_",
    "left_out_subsets_",
    "out_of_fold_latents_",
    "out_of_fold_target_",
)


class ModelFileMixin(NewPeopleMixin, BaseEstimator):  # type: ignore[misc]
    """Methods of PIDReg that write and read a fitted model."""

    share: bool
    experts: tuple[Any, ...] | None
    expert_weights_: dict[str, float]

    def chosen(self) -> dict[str, Any]:
        """What was chosen inside the training rows: recipe, weights of the modalities and of the base learners."""
        return {name.removesuffix("_"): getattr(self, name) for name in _CHOSEN}

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to ``model.pt``: tensors and plain containers, whole or not at all.

        The file holds its training people, see Notes of the class. That of a model with ``share=True`` has no row of
        features, target or prediction of a person, no Gaussian process and no forest. What remains of single people in
        it are the sorted sizes of out-of-fold errors and distances, without labels, and single values of single
        features: medians that fill missing cells, and edges of bins and split points where networks encode features or
        boosted trees are grown.

        A base learner of one's own lies beside it, in ``own_<name>.joblib``.
        """
        fitted, own = self._state, self._own
        kept = _KEPT if self.share else (*_KEPT, *_KEPT_OF_PEOPLE)
        files = {name: write_own(Path(folder), name, own[name], fitted.base_learners[name]) for name in own}
        without = {name: learner for name, learner in fitted.base_learners.items() if name not in own}
        plain = None
        if self.experts is not None:
            plain = tuple(expert if isinstance(expert, str | Mapping) else None for expert in self.experts)
        parameters = {"modalities": getattr(self, "columns_", None), "experts": plain}
        content = {
            "parameters": plain_values(self.get_params(deep=False) | parameters),
            "kept": to_tensors({name: getattr(self, name) for name in kept if hasattr(self, name)}),
            "fitted": replace(fitted, base_learners=without).state(),
            "atypicality": self._atypicality.state(),
            "own": files,
        }
        write_state(Path(folder) / _FILE, content)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that `save` wrote; its predictions are bit-identical.

        Nothing in ``model.pt`` is executed. A base learner of one's own that it names is read from its file, which can
        run code: only load such a model from a source that you trust.

        Raises
        ------
        InputError
            Where a file is absent, damaged, no such model, or of another version of the format.
        """
        path = Path(folder) / _FILE
        state = read_state(path)
        with complete_state(path):
            model = cls(**state["parameters"])
            own: dict[str, BaseLearner] = {}
            if model.experts is not None:
                model.experts, own = read_all(path.parent, model.experts, state["own"])
            for name, value in to_arrays(state["kept"]).items():
                setattr(model, name, np.array(value, dtype=object) if name == "feature_names_in_" else value)
            fitted = FittedModel.from_state(state["fitted"])
            learners = fitted.base_learners | own
            in_order = {name: learners[name] for name in model.expert_weights_ if name != "head"}
            model._fitted = replace(fitted, base_learners=in_order)
            model._atypicality = Atypicality.from_state(state["atypicality"])
        return model

    @property
    def _own(self) -> dict[str, Any]:
        """Base learners of the user's own, by name."""
        return names_of([expert for expert in self.experts or () if not isinstance(expert, str)])
