"""Settings of each model; defaults are those of `brainpid.model.PIDReg` and of the baselines' estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from brainpid.config.section import Section

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Part = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Members = Annotated[int, Field(ge=2)]
FEWEST_OF_OWN_WEIGHTS = 3
"""Inner folds that a network needs which reads its own fusion weights."""
TargetTransform = Literal["auto", "normal_scores", "none"]
BASE_LEARNERS = ("auto", "normative", "normative_scores", "kernel", "forest", "boosting")
"""Names of base learners of `pidreg`; ``auto`` stands for those that a pilot finds worth fitting."""


def _base_learner(value: Any) -> str | dict[str, Any]:
    """A name, or a mapping with the class of a regressor and its keyword arguments."""
    if isinstance(value, str) and value in BASE_LEARNERS:
        return value
    if not isinstance(value, Mapping):
        names = ", ".join(f"'{name}'" for name in BASE_LEARNERS)
        raise ValueError(f"expected {names} or a mapping such as {{import: sklearn.linear_model.Ridge, alpha: 2.0}}")
    if not isinstance(value.get("import"), str):
        raise ValueError("expected the key 'import' with a class by its module, such as sklearn.linear_model.Ridge")
    if wrong := [key for key in value if not (isinstance(key, str) and key.isidentifier())]:
        raise ValueError(f"expected keyword arguments of {value['import']} as keys, found {wrong[0]!r}")
    return dict(value)


BaseLearnerChoice = Annotated[
    str | dict[str, Any],
    PlainValidator(_base_learner),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(BASE_LEARNERS)},
                {"type": "object", "properties": {"import": {"type": "string"}}, "required": ["import"]},
            ]
        }
    ),
]


class ModelSettings(Section):
    """What the hyperparameters of every model have."""

    @property
    def foreign_classes(self) -> tuple[str, ...]:
        """Dotted names of classes outside of the program that the model is made of."""
        return ()


class PIDRegSettings(ModelSettings):
    """Hyperparameters of `pidreg`; what is null comes from the recipe, see `brainpid.model.pidreg.options`."""

    recipe: Literal["auto", "compact", "expressive", "paper"] = Field(
        "auto",
        description="where the hyperparameters that are null come from; `auto` leaves it to a pilot between `compact` "
        "and `expressive`; `paper` is the published model, one network, for comparison",
    )
    bins: int | None = Field(None, ge=0, description="bins of the piecewise-linear encoding of features; 0 for none")
    latent_dim: int | None = Field(None, ge=1, description="dimension of each modality's latent")
    hidden: tuple[Count, ...] | None = Field(None, description="hidden widths of each encoder")
    head: tuple[Count, ...] | None = Field(None, description="hidden widths of the head; empty for a linear head")
    dropout: float | None = Field(None, ge=0, le=0.99, description="dropout in the hidden layers")
    signal: float | None = Field(
        None,
        ge=0.01,
        le=1,
        description="initial signal part of the noisy bottleneck, which is learned; 1 is no noise; null: 1, of `paper` "
        "0.98",
    )
    members: Members = Field(
        10,
        description="networks of the ensemble, each without one inner fold; with the recipe `paper` those that predict "
        "training people out of fold, beside the one network",
    )
    epochs: int | None = Field(None, ge=1, description="passes over the training people")
    batch_size: int | None = Field(None, ge=2, description="people in a batch")
    learning_rate: float | None = Field(None, gt=0, le=1, description="peak of the one-cycle schedule")
    weight_decay: NotNegative | None = Field(None, description="decoupled weight decay")
    alpha_readout: NotNegative | None = Field(
        None, description="weight of each modality's own readout in the encoders' loss; null: 0.3, of `paper` 0"
    )
    alpha_cs: NotNegative | None = Field(
        None, description="weight of the Gaussianity penalty of each latent; null: 0, of `paper` 0.1"
    )
    alpha_joint: NotNegative | None = Field(
        None, description="weight of the joint Gaussianity penalty; null: 0, of `paper` 0.1"
    )
    alpha_ci: NotNegative | None = Field(
        None, description="weight of the conditional-independence penalty; null: 0, of `paper` 0.1"
    )
    conditional: Literal["gaussian", "kernel"] | None = Field(
        None, description="form of that penalty; null: `gaussian`, of `paper` `kernel`"
    )
    fusion: Literal["pid", "latents", "equal"] | None = Field(
        None,
        description="fusion weights: information shares of ridge predictions, of the network's own latents, or all "
        "equal; null: `pid`, of `paper` `latents`",
    )
    target_transform: Literal["normal_scores", "none"] | None = Field(
        None, description="target of the network: normal scores by rank, or the target as it is"
    )
    feature_transform: Literal["auto", "normal_scores", "none"] | None = Field(
        None,
        description="features: normal scores by rank among the training people, or their values; `auto` takes values "
        "where a pilot finds trees worth fitting; null: `auto`, of `paper` `none`",
    )
    experts: tuple[BaseLearnerChoice, ...] | None = Field(
        None,
        description="base learners beside the network: normative models of the target and of its score, Gaussian "
        "processes, forest, boosted trees, or what a pilot on some of the people finds worth fitting; and regressors "
        "of one's own, `{import: package.Class, alpha: 1.0}`, whose other keys are keyword arguments of the class, "
        "looked for among what is installed, then in the folder in which the run is started. A model keeps it in "
        "`own_<Class>.joblib`: only load that from a source that you trust. Null: `[auto]`, of `paper` none",
    )

    @property
    def named_base_learners(self) -> list[str]:
        """Base learners that are given by name."""
        return [expert for expert in self.experts or () if isinstance(expert, str)]

    @property
    def own_weights(self) -> bool:
        """Whether a network reads its fusion weights from its own latents."""
        return self.fusion == "latents" or (self.fusion is None and self.recipe == "paper")

    @model_validator(mode="after")
    def _one_fold_is_read(self) -> PIDRegSettings:
        if self.own_weights and self.members < FEWEST_OF_OWN_WEIGHTS:
            raise ValueError(
                f"members must be {FEWEST_OF_OWN_WEIGHTS} or more where networks read their fusion weights from their "
                "own latents (fusion: latents, recipe: paper): one inner fold is left out, one is read and one is "
                f"trained on; found {self.members}"
            )
        return self

    @property
    def own_base_learners(self) -> list[dict[str, Any]]:
        """Base learners of the user's own."""
        return [expert for expert in self.experts or () if isinstance(expert, dict)]

    @property
    def foreign_classes(self) -> tuple[str, ...]:
        """Dotted names of their classes."""
        return tuple(own["import"] for own in self.own_base_learners)


class BaselineSettings(ModelSettings):
    """What every baseline that looks at features has."""

    target_transform: TargetTransform = Field(
        "auto",
        description="target of the fit: normal scores by rank, the target as it is, or whichever has the smaller "
        "error in held-out training people",
    )


class RidgeSettings(BaselineSettings):
    """Hyperparameters of `ridge`: the penalty is chosen by held-out error among the training people."""

    log10_alpha_range: tuple[float, float] = Field((-2.0, 5.0), description="decimal logarithms of the penalties tried")
    alphas: int = Field(29, ge=2, description="number of penalties tried")

    @model_validator(mode="after")
    def _ordered(self) -> RidgeSettings:
        low, high = self.log10_alpha_range
        if low >= high:
            raise ValueError(f"log10_alpha_range must be [low, high] with low < high, found {[low, high]}")
        return self


class ElasticNetSettings(BaselineSettings):
    """Hyperparameters of `elastic_net`: mixing and penalty are chosen by held-out error among the training people."""

    l1_ratios: tuple[Part, ...] = Field(
        (0.1, 0.5, 0.9), min_length=1, description="parts of the penalty that are absolute values; 1 is the lasso"
    )
    alphas: int = Field(20, ge=2, description="number of penalties tried for each part")
    smallest_alpha: float = Field(
        0.01, gt=0, lt=1, description="smallest penalty, as a part of the one that sets every weight to zero"
    )


class SVRSettings(BaselineSettings):
    """Hyperparameters of `svr` (Gaussian kernel): width and cost are chosen by held-out error."""

    widths: tuple[Positive, ...] = Field(
        (0.1, 0.3, 1.0), min_length=1, description="coefficients of the squared distance tried, times the features"
    )
    costs: tuple[Positive, ...] = Field((0.3, 1.0, 3.0, 10.0, 30.0), min_length=1, description="costs tried")
    epsilon: float = Field(0.1, ge=0, description="half width of the tube, in standard deviations of the target")
    choice_people: int = Field(
        600, ge=50, description="people, drawn at random, that width and cost are chosen on where there are more"
    )


class GPRSettings(BaselineSettings):
    """Hyperparameters of `gpr`: a Gaussian or Matern kernel plus a linear one, fitted by the marginal likelihood."""

    likelihood_people: int = Field(
        400, ge=50, description="people, drawn at random, that the kernel is fitted to where there are more"
    )


class GradientBoostingSettings(BaselineSettings):
    """Hyperparameters of `gradient_boosting`: size and number of trees are chosen by held-out error."""

    learning_rate: float = Field(0.1, gt=0, description="shrinkage of each tree")
    max_iter: int = Field(150, ge=1, description="largest number of trees")
    max_leaf_nodes: tuple[Annotated[int, Field(ge=2)], ...] = Field(
        (8, 31),
        min_length=1,
        description="numbers of leaves tried; after the first, those that half of the people fill",
    )
    min_samples_leaf: int = Field(10, ge=1, description="fewest people in a leaf")
    max_features: float = Field(0.3, gt=0, le=1, description="part of the features that each split sees")


class RandomForestSettings(BaselineSettings):
    """Hyperparameters of `random_forest`."""

    trees: int = Field(200, ge=1, description="number of trees; a third of it for held-out people")
    max_features: float = Field(0.33, gt=0, le=1, description="part of the features that each split sees")
    min_samples_leaf: int = Field(3, ge=1, description="fewest people in a leaf")


class StackingSettings(BaselineSettings):
    """Hyperparameters of `stacking`: base learners are joined by weights that are not negative."""

    experts: tuple[Literal["ridge", "gpr", "svr", "random_forest", "gradient_boosting"], ...] = Field(
        ("gpr", "svr", "gradient_boosting"), min_length=1, description="kinds of base learners"
    )
    concatenated: bool = Field(
        True, description="base learners of all modalities together beside those of one modality each"
    )


class MLPSettings(BaselineSettings):
    """Hyperparameters of `mlp`: a mean of perceptrons on the concatenated features."""

    hidden: tuple[Count, ...] = Field((64,), min_length=1, description="hidden widths")
    members: int = Field(4, ge=1, description="perceptrons, each from a random start of its own")
    epochs: int = Field(40, ge=1, description="passes over the training people")
    learning_rate: float = Field(3e-3, gt=0, description="step size of Adam")
    alphas: tuple[Positive, ...] = Field(
        (1.0, 10.0, 30.0), min_length=1, description="penalties of squared weights tried"
    )
    choice_people: int = Field(
        1000, ge=50, description="people, drawn at random, that the penalty is chosen on where there are more"
    )


class MeanSettings(ModelSettings):
    """Nothing: `mean` predicts the mean of the training people."""


class Hyperparameters(Section):
    """Settings of each model; the defaults are the recommended recipe."""

    pidreg: PIDRegSettings = Field(default_factory=PIDRegSettings, description="the multimodal network")
    ridge: RidgeSettings = Field(default_factory=RidgeSettings, description="ridge regression")
    elastic_net: ElasticNetSettings = Field(default_factory=ElasticNetSettings, description="elastic net")
    svr: SVRSettings = Field(default_factory=SVRSettings, description="support vector regression")
    gpr: GPRSettings = Field(default_factory=GPRSettings, description="Gaussian process regression")
    gradient_boosting: GradientBoostingSettings = Field(
        default_factory=GradientBoostingSettings, description="gradient boosting"
    )
    random_forest: RandomForestSettings = Field(default_factory=RandomForestSettings, description="random forest")
    stacking: StackingSettings = Field(
        default_factory=StackingSettings, description="base learners, joined by their held-out errors"
    )
    mlp: MLPSettings = Field(default_factory=MLPSettings, description="mean of some perceptrons")
    mean: MeanSettings = Field(default_factory=MeanSettings, description="mean of the training")


ModelName = Literal[
    "pidreg", "ridge", "elastic_net", "svr", "gpr", "gradient_boosting", "random_forest", "stacking", "mlp", "mean"
]
Models = Annotated[tuple[ModelName, ...], Field(min_length=1)]
