"""Tables of out-of-fold predictions: written from a fitted model, and arranged for what is read from them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.errors import InputError, NumericalError
from brainpid.core.modalities import presence
from brainpid.crossfit.minima import why_not_decomposed
from brainpid.crossfit.site_folds import FEWEST_SITES
from brainpid.evaluation.atypicality import atypicality_of
from brainpid.model.age_bias import AgeBiases
from brainpid.model.inputs import Read
from brainpid.model.registry import MultimodalRegressor
from brainpid.model.sites import KNOWN_WIDTH, SITE_SEEN, sites_seen

log = logging.getLogger(__name__)

NOBODY = np.empty(0)
GROUP = "group"
"""Column of the number of a person's group, where people are of groups; it is added in memory and not written."""
LATENT, SUBSET, LOG_SCORE = "latent_", "subset_", "log_score_"
"""What starts the name of a column: a modality's latent, and of a subset of the modalities the prediction from it in
the target's units and its log score in bits."""
FEWEST_OF_REFERENCE = 20
"""Training people of a cohort whose targets stand for its distribution; with fewer, its test people's stand beside."""


def decomposable(predictions: pd.DataFrame, modalities: Sequence[str]) -> pd.DataFrame:
    """Rows of people with every modality, of the cohorts in which these can be decomposed."""
    complete = _complete(predictions, modalities)
    return complete[~complete["cohort"].isin(not_decomposable(predictions, modalities))]


def not_decomposable(predictions: pd.DataFrame, modalities: Sequence[str]) -> dict[str, str]:
    """Why cohorts cannot be decomposed into one scalar latent a modality, by name (`brainpid.crossfit.minima`).

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold rows with cohort, participant_id, age and latents; of any number of models and repeats.
    modalities : sequence of str
    """
    people = _complete(predictions, modalities).drop_duplicates(["cohort", "participant_id"])
    ages = dict(iter(people.groupby("cohort", sort=False)["age"]))
    reasons = {
        str(cohort): why_not_decomposed(ages[cohort].to_numpy(dtype=float) if cohort in ages else NOBODY, modalities)
        for cohort in dict.fromkeys(predictions["cohort"])
    }
    return {cohort: reason for cohort, reason in reasons.items() if reason}


def _complete(predictions: pd.DataFrame, modalities: Sequence[str]) -> pd.DataFrame:
    """Rows of people with every modality."""
    return predictions[predictions[[LATENT + modality for modality in modalities]].notna().all(axis=1)]


@contextmanager
def without_rows(cohort: object, what: str) -> Iterator[None]:
    """Go on where latents of one cohort have no trustworthy answer: it has no rows, and a warning has its name."""
    try:
        yield
    except NumericalError as fault:
        log.warning("cohort '%s': %s is left out: %s", cohort, what, fault)


def by_repeat(predictions: pd.DataFrame, columns: Sequence[str]) -> tuple[dict[str, FloatArray], FloatArray, int]:
    """Arrange one cohort's out-of-fold predictions by repeat and person.

    Parameters
    ----------
    predictions : DataFrame
        One model's rows of one cohort: participant_id, age, repeat, fold and `columns`.
    columns : sequence of str
        Columns to arrange.

    Returns
    -------
    values : dict of str to ndarray, shape (repeats, n)
    age : ndarray, shape (n,)
        In the target's units.
    n_folds : int
        Number of (repeat, fold) pairs that gave the predictions.

    Raises
    ------
    InputError
        Where a person was not predicted exactly once in a repeat.
    """
    counts = predictions.groupby(["repeat", "participant_id"]).size().unstack(fill_value=0)
    if not (counts == 1).all(axis=None):
        person = counts.columns[(counts != 1).any()][0]
        raise InputError(f"predictions: expected each person once in every repeat, found otherwise for '{person}'")
    wide = {column: predictions.pivot(index="repeat", columns="participant_id", values=column) for column in columns}
    age = predictions.drop_duplicates("participant_id").set_index("participant_id")["age"]
    n_folds = len(predictions[["repeat", "fold"]].drop_duplicates())
    return (
        {column: table.to_numpy(dtype=float) for column, table in wide.items()},
        age.loc[counts.columns].to_numpy(dtype=float),
        n_folds,
    )


def groups_of(predictions: pd.DataFrame) -> IntArray | None:
    """Number of each person's group (n,), in the order of `by_repeat`; None where people are of no groups."""
    if GROUP not in predictions:
        return None
    people = predictions.drop_duplicates("participant_id").sort_values("participant_id")
    return people[GROUP].to_numpy(dtype=np.int64)


def predict_table(
    model: MultimodalRegressor,
    X: Blocks,
    people: pd.DataFrame,
    biases: AgeBiases,
    coverage: float,
    training: pd.DataFrame,
) -> pd.DataFrame:
    """Predictions of people with their correction and interval, and what they rest on; ages in the target's units.

    Parameters
    ----------
    model : MultimodalRegressor
        Fitted.
    X : mapping of str to ndarray, shape (n, p_m)
        Features; a row of NaN is a missing modality.
    people : DataFrame
        The n people: participant_id, cohort, site, age.
    biases : AgeBiases
        Lines of the training people.
    coverage : float
        Nominal coverage of the intervals.
    training : DataFrame
        The training people: cohort, age; where a site is left out, those who are tested as well.

    Returns
    -------
    DataFrame
        Columns of ``folds/.../predictions.tsv`` without model, repeat and fold. `modalities` names those that the
        person has; latents, predictions and log scores of a subset are NaN where the person lacks one of its
        modalities. Log scores are relative to the targets of the person's cohort among the training people, and among
        those who are predicted as well where fewer than `FEWEST_OF_REFERENCE` of the cohort were trained on.
        `atypicality` is NaN by models that do not tell it. `site_seen` is there where the model knows the sites of
        its training people: whether the person's is one of them. Of people whose site it is not, everything is as the
        model reads such people, and `pi_width_known_site` is the width that their intervals would have if it were; NaN
        where the model could not learn what its predictions are worth there, and for others.

    Raises
    ------
    NumericalError
        Where a person could not be predicted.
    """
    read = model.read(X, people["site"].to_numpy(dtype=object))
    predicted = model.predict(read)
    if not np.isfinite(predicted).all():
        raise NumericalError(f"{int((~np.isfinite(predicted)).sum())} of {len(predicted)} people got no prediction")
    low, high = model.predict_interval(read, coverage).T
    present = patterns(X)
    seen = sites_seen(getattr(model, "sites_", ()), people["site"].tolist())
    corrected = biases.correct(predicted, present, seen)
    table = people[["participant_id", "cohort", "site", "age"]].reset_index(drop=True)
    table = table.assign(
        predicted_age=predicted,
        predicted_age_corrected=corrected,
        brain_pad=predicted - table["age"],
        brain_pad_corrected=corrected - table["age"],
        pi_low=low,
        pi_high=high,
        modalities=present,
        atypicality=atypicality_of(model, read),
    )
    if hasattr(model, "sites_"):
        table[SITE_SEEN] = seen
        table[KNOWN_WIDTH] = model.known_site_width(read, coverage)
        _warn_of_narrow(table)
    latents = {LATENT + modality: values for modality, values in model.scalar_latents(read).items()}
    return table.assign(**latents, **reading_table(model, read, table, training))


def _warn_of_narrow(table: pd.DataFrame) -> None:
    """Count people of new sites whose intervals are those of known ones."""
    if narrow := int(((table[SITE_SEEN] == "no") & table[KNOWN_WIDTH].isna()).sum()):
        log.warning(
            "%d of %d are of sites that training has not seen, and their intervals too narrow: calibrating needs "
            "%d training sites or more", narrow, len(table), FEWEST_SITES,
        )  # fmt: skip


def reading_table(model: MultimodalRegressor, read: Read, people: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame:
    """Predictions from every subset of the modalities and their log scores; parameters as of `predict_table`.

    Parameters
    ----------
    model : MultimodalRegressor
        Fitted.
    read : Read
        What it read of the n people.
    people, training : DataFrame
        cohort, age; labels of the rows of `people` are 0 to n - 1.
    """
    predicted = {SUBSET + "+".join(subset): values for subset, values in model.subset_predictions(read).items()}
    scores = pd.DataFrame(index=people.index)
    for cohort, own in people.groupby("cohort"):
        known = training.loc[training["cohort"] == cohort, "age"]
        reference = known if len(known) >= FEWEST_OF_REFERENCE else pd.concat([known, own["age"]])
        told = model.log_scores(read, people["age"].to_numpy(dtype=float), reference.to_numpy(dtype=float))
        for subset, values in told.items():
            scores.loc[own.index, LOG_SCORE + "+".join(subset)] = values[own.index]
    return pd.DataFrame(predicted, index=people.index).join(scores)


def patterns(X: Blocks) -> list[str]:
    """Name each person's modalities, such as ``t1+dwi``; a row of NaN is a missing one."""
    names = np.array(list(X))
    return ["+".join(names[row]) for row in presence(X)]
