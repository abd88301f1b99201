"""The slice of the configuration by which it is told what harmonisation costs; see `brainpid.config.slices`."""

from __future__ import annotations

from brainpid.config.analysis import Schemes, Seed
from brainpid.config.harmonise import Harmonise
from brainpid.config.models import RidgeSettings
from brainpid.config.schema import Config
from brainpid.config.section import Modalities, Name, Section


class HarmonisationSettings(Section):
    """What `brainpid harmonisation` needs to know."""

    modalities: Modalities
    cohorts: tuple[Name, ...]
    hyperparameters: RidgeSettings
    seed: Seed
    group: str | None
    scheme: Schemes
    harmonise: Harmonise
    confidence: float

    @classmethod
    def of(cls, config: Config) -> HarmonisationSettings:
        """Slice of what harmonisation costs."""
        return cls(
            modalities=config.modalities,
            cohorts=tuple(config.cohorts),
            hyperparameters=config.hyperparameters.ridge,
            seed=config.splits.seed,
            group=config.splits.group,
            scheme=config.splits.scheme,
            harmonise=config.harmonise,
            confidence=config.pid.confidence,
        )
