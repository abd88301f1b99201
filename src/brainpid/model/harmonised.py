"""Features of people without the effects of their sites, as a model was fitted to them and is to see new people.

Effects are estimated once on all training people of a fold, before a model divides these into inner folds: what its
inner folds see of held-out people has been harmonised with their ages among those of all others. Where nothing tells of
age, that was measured to bring no information (``benchmarks/sites.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from brainpid.config.harmonise import Harmonise, Unseen
from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import atomic_path
from brainpid.crossfit.harmonisation import Harmonisation, Sites, labels_of
from brainpid.crossfit.splines import natural_spline
from brainpid.model.sites import checked_sites

log = logging.getLogger(__name__)

FILE = "harmonisation.npz"
"""Beside a model whose features were harmonised: what is to be taken from those of people whom it predicts."""
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Harmoniser:
    """Effects of training sites on every modality.

    Attributes
    ----------
    blocks : dict of str to Harmonisation
        By modality.
    sexes : tuple of str
        Labels of sex among the training people, sorted; empty where sex is no covariate.
    means : ndarray, shape (c,)
        Means of the covariates over training people, which stand where a person's are not known.
    unseen : {"none", "own", "error"}
        What happens to people of sites that training has not seen.
    """

    blocks: dict[str, Harmonisation]
    sexes: tuple[str, ...]
    means: FloatArray
    unseen: Unseen

    @classmethod
    def fit(cls, settings: Harmonise, tables: Tables, people: pd.DataFrame) -> Self:
        """Estimate the effects of sites on training people.

        Parameters
        ----------
        settings : Harmonise
            With a method that is not ``none``.
        tables : mapping of str to DataFrame, shape (n, p_m)
            Features by modality; a row of NaN is a missing one.
        people : DataFrame
            site, sex and age of the n people.

        Raises
        ------
        NumericalError
            Where a regression has no finite answer.
        """
        sexes = tuple(sorted({str(sex) for sex in people["sex"].dropna()})) if "sex" in settings.covariates else ()
        found = labels_of(sexes, people["sex"].tolist())
        known = np.asarray(np.isfinite(found).all(axis=1))
        means = found[known].mean(axis=0) if known.any() else np.zeros(found.shape[1])
        covariates = np.where(known[:, None], found, means)
        age = people["age"].to_numpy(dtype=float)
        preserved = natural_spline(age, age) if settings.preserve == "age" else np.empty((len(age), 0))
        site = checked_sites(people["site"].to_numpy(dtype=object), len(people))
        scaled = settings.method == "location_scale"
        blocks = {
            modality: Harmonisation.fit(table.to_numpy(dtype=float), site, covariates, preserved, scaled)
            for modality, table in tables.items()
        }
        return cls(blocks, sexes, means, settings.unseen)

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites that training has seen, in any modality."""
        return tuple(sorted({site for block in self.blocks.values() for site in block.sites}))

    def apply(self, tables: Tables, sites: Sequence[Any], sexes: Sequence[Any]) -> dict[str, pd.DataFrame]:
        """Features without the effects of their sites; people of other sites by the rule `unseen`.

        Parameters
        ----------
        tables : mapping of str to DataFrame, shape (n, p_m)
            Those of the fit, or some of them.
        sites, sexes : sequence of str or None, shape (n,)
            None and NaN are not known.

        Raises
        ------
        InputError
            Where there are people of other sites, and these are to be refused.
        """
        site = checked_sites(np.array([None if pd.isna(one) else str(one) for one in sites], dtype=object), len(sites))
        self._look_at_unseen(site)
        found = labels_of(self.sexes, [None if pd.isna(sex) else str(sex) for sex in sexes])
        covariates = np.where(np.isfinite(found), found, self.means)
        own = self.unseen == "own"
        return {
            modality: pd.DataFrame(
                self.blocks[modality].apply(table.to_numpy(dtype=float), site, covariates, own),
                columns=table.columns,
                index=table.index,
            )
            for modality, table in tables.items()
        }

    def _look_at_unseen(self, site: Sites) -> None:
        """Say, or refuse, who is of a site that training has not seen."""
        others = [one for one in site if one not in self.sites]
        if not others:
            return
        names = sorted({one for one in others if one is not None})
        unknown = sum(one is None for one in others)
        said = [f"of {'sites' if len(names) > 1 else 'site'} {list_some(names)}"] * bool(names)
        said += [f"{unknown} without a site" if names else "without a site"] * bool(unknown)
        who = "1 person is" if len(others) == 1 else f"{len(others)} people are"
        words = f"{who} {', '.join(said)}, which the harmonisation of features has not seen"
        if self.unseen == "error":
            raise InputError(f"{words}; expected those of {list_some(self.sites)} (harmonise.unseen: error)")
        left = "their features are left as they are"
        if self.unseen == "own":
            left = "their own features tell the effect of a site with enough people; others are left as they are"
        log.warning("%s: %s", words, left)

    def save(self, folder: Path) -> None:
        """Write it beside the model; reading it executes nothing."""
        states = {modality: block.state() for modality, block in self.blocks.items()}
        arrays = {f"{modality}/{name}": held for modality, own in states.items() for name, held in own.items()}
        arrays |= {"sexes": np.array(self.sexes, dtype=str), "means": self.means, "unseen": np.array(self.unseen)}
        with atomic_path(folder / FILE) as part, open(part, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read what `save` wrote; None where the model's features were not harmonised.

        Raises
        ------
        InputError
            Where the file is damaged, or another one.
        """
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as held:
                content = {name: held[name] for name in held.files}
            states: dict[str, dict[str, Any]] = {}
            for name, values in content.items():
                modality, separator, own = name.partition("/")
                if separator:
                    states.setdefault(modality, {})[own] = values
            blocks = {modality: Harmonisation.from_state(state) for modality, state in states.items()}
            unseen: Any = str(content["unseen"])
            return cls(blocks, tuple(content["sexes"].tolist()), content["means"], unseen)
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as fault:
            raise InputError(
                f"{path}: expected what was written with the model; train it again: {str(fault)[:200]}"
            ) from fault


def harmonise(
    settings: Harmonise, tables: Tables, people: pd.DataFrame, training: Any
) -> tuple[dict[str, pd.DataFrame], Harmoniser | None]:
    """Features of a fold's people without the effects of sites on its training people, and these effects.

    Parameters
    ----------
    settings : Harmonise
    tables : mapping of str to DataFrame, shape (n, p_m)
    people : DataFrame
        site, sex and age of the n people; ages of training people alone are looked at.
    training : ndarray of bool, shape (n,)

    Returns
    -------
    tables : dict of str to DataFrame, shape (n, p_m)
        As they are where `settings` say so, and then without a second value.
    harmoniser : Harmoniser or None
    """
    if not settings.used:
        return dict(tables), None
    found = Harmoniser.fit(settings, {m: table[training] for m, table in tables.items()}, people[training])
    return found.apply(tables, people["site"].tolist(), people["sex"].tolist()), found
