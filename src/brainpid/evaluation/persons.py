"""What out-of-fold predictions say of each person, and how reliable each of these quantities is.

A person's repeats of the folds are averaged. The information of a prediction is the person's log score
``log2 q_A(y | x) - log2 p(y)``, whose mean over people is the information ``I_A``: positive where the prediction made
the person's target likelier than the distribution of targets alone does.

Each modality has a difference of its own between predicted and true target, from that modality alone. These differences
all fall with age, because predictions lie nearer to the mean than targets: their line on age is taken away before they
are split into the mean of the person's modalities, `common`, and what is left of each, `specific`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from brainpid.cohort.training_group import TRAINED
from brainpid.core.arrays import BoolArray, FloatArray
from brainpid.evaluation.predictions import LOG_SCORE, SUBSET, by_repeat

PUBLIC = ("predicted_age", "predicted_age_corrected", "pi_low", "pi_high", "brain_pad", "brain_pad_corrected")
FEWEST_OF_LINE = 10
"""People of a cohort through whom a line on age is drawn."""
KEYS = ["participant_id", "cohort", "site", "age", "model", "modalities", "repeats"]
RELIABILITY_COLUMNS = [
    "cohort",
    "model",
    "quantity",
    "n",
    "repeats",
    "reliability",
    "reliability_of_mean",
    "split_half",
]


def person_table(predictions: pd.DataFrame, modalities: Sequence[str]) -> pd.DataFrame:
    """One line a person and model, means over repeats of the folds.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold rows of every model, with predictions and log scores of every subset; with the column `TRAINED`
        where a part of the people is trained on, through whom alone lines on age are then drawn.
    modalities : sequence of str

    Returns
    -------
    DataFrame
        Columns of ``aggregate/person.tsv``, with `TRAINED` where it is given: who, prediction and interval and
        differences in the target's units, information in bits, differences of each modality; NaN where a person lacks
        what a quantity needs.
    """
    frames = []
    for people, quantities in _quantities(predictions, modalities):
        means = {name: values.mean(axis=0) for name, values in quantities.items()}
        frames.append(people.assign(**means))
    columns = [*KEYS, *([TRAINED] if TRAINED in predictions else []), *_names(modalities)]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def reliability_table(predictions: pd.DataFrame, modalities: Sequence[str]) -> pd.DataFrame:
    """How much of the differences between people in a quantity stays when the folds are drawn anew.

    Returns
    -------
    DataFrame
        Columns of ``aggregate/reliability.tsv``, one line a cohort, model and quantity: `reliability` of one repeat
        (the intraclass correlation ICC(C,1) of McGraw and Wong 1996), `reliability_of_mean` of the mean of all repeats
        (ICC(C,k)), and `split_half`, the correlation of the means of both halves of the repeats, stepped up by the
        formula of Spearman and Brown. NaN with one repeat, or where people do not differ.
    """
    records = []
    for people, quantities in _quantities(predictions, modalities):
        for name, values in quantities.items():
            known = values[:, np.isfinite(values).all(axis=0)]
            single, of_mean, halves = _reliability(known)
            records.append(
                {
                    "cohort": people["cohort"].iloc[0], "model": people["model"].iloc[0], "quantity": name,
                    "n": known.shape[1], "repeats": len(values), "reliability": single, "reliability_of_mean": of_mean,
                    "split_half": halves,
                }
            )  # fmt: skip
    return pd.DataFrame(records, columns=RELIABILITY_COLUMNS)


def _names(modalities: Sequence[str]) -> list[str]:
    """Names of the quantities, in the order of the table."""
    each = [f"{what}_{m}" for what in ("information_alone", "information_added", "brain_pad") for m in modalities]
    parts = ["brain_pad_common", *(f"brain_pad_specific_{m}" for m in modalities)]
    return [*PUBLIC, "information", *each, *parts]


def _quantities(
    predictions: pd.DataFrame, modalities: Sequence[str]
) -> Iterator[tuple[pd.DataFrame, dict[str, FloatArray]]]:
    """People of each model and cohort, and each quantity (repeats, n) of them."""
    for (model, cohort), rows in predictions.groupby(["model", "cohort"], sort=False):
        told = [name for name in rows if name.startswith((SUBSET, LOG_SCORE))]
        values, age, _ = by_repeat(rows, [*PUBLIC, *told])
        people = rows.drop_duplicates("participant_id").sort_values("participant_id").reset_index(drop=True)
        inside = people[TRAINED].to_numpy(dtype=bool) if TRAINED in people else np.ones(len(people), dtype=bool)
        named = ["participant_id", "site", "age", "modalities", *([TRAINED] if TRAINED in people else [])]
        people = people[named].assign(cohort=cohort, model=model, repeats=len(values["predicted_age"]))
        found = {name: values[name] for name in PUBLIC}
        found |= _information(values, people["modalities"].tolist(), modalities)
        found |= _differences(values, age, modalities, inside)
        yield people, {name: found[name] for name in _names(modalities)}


def _information(
    values: Mapping[str, FloatArray], patterns: Sequence[str], modalities: Sequence[str]
) -> dict[str, FloatArray]:
    """Log scores (repeats, n) in bits from all that a person has, from each modality, and what each adds."""
    scores = {
        frozenset(name.removeprefix(LOG_SCORE).split("+")): values[name]
        for name in values
        if name.startswith(LOG_SCORE)
    }
    empty = np.full_like(next(iter(scores.values())), np.nan)
    found = {"information": empty.copy()} | {f"information_added_{m}": empty.copy() for m in modalities}
    found |= {f"information_alone_{m}": scores[frozenset([m])] for m in modalities}
    for pattern in set(patterns):
        own, has = np.array([other == pattern for other in patterns]), frozenset(pattern.split("+"))
        found["information"][:, own] = scores[has][:, own]
        for m in has if len(has) > 1 else ():
            found[f"information_added_{m}"][:, own] = scores[has][:, own] - scores[has - {m}][:, own]
    return found


def _differences(
    values: Mapping[str, FloatArray], age: FloatArray, modalities: Sequence[str], inside: BoolArray
) -> dict[str, FloatArray]:
    """Predicted less true target from each modality alone, and its parts, (repeats, n) in the target's units."""
    differences = {m: values[SUBSET + m] - age for m in modalities}
    level = np.stack([_less_line(values, age, inside) for values in differences.values()])
    has = np.isfinite(level)
    count = has.sum(axis=0)
    common = np.where(count > 1, np.where(has, level, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return (
        {f"brain_pad_{m}": own for m, own in differences.items()}
        | {"brain_pad_common": common}
        | {f"brain_pad_specific_{m}": own - common for m, own in zip(modalities, level, strict=True)}
    )


def _less_line(values: FloatArray, age: FloatArray, inside: BoolArray) -> FloatArray:
    """Values (repeats, n) less their line on age in each repeat, which is drawn through those inside, (n,).

    NaN with fewer than `FEWEST_OF_LINE` people.
    """
    known = np.isfinite(values).all(axis=0)
    left, drawn = np.full_like(values, np.nan), known & inside
    if drawn.sum() < FEWEST_OF_LINE or np.ptp(age[drawn]) == 0:
        return left
    middle, centred = values[:, drawn].mean(axis=1, keepdims=True), age[drawn] - age[drawn].mean()
    slope = (values[:, drawn] - middle) @ centred / (centred @ centred)
    left[:, known] = values[:, known] - middle - np.outer(slope, age[known] - age[drawn].mean())
    return left


def _reliability(values: FloatArray) -> tuple[float, float, float]:
    """Reliability of one repeat, of the mean of all, and by halves, of values (repeats, n)."""
    k, n = values.shape
    if k < 2 or n < 3:
        return np.nan, np.nan, np.nan
    people = values.mean(axis=0)
    between = k * float(people.var(ddof=1))
    if between == 0:
        return np.nan, np.nan, np.nan
    left = values - people - values.mean(axis=1, keepdims=True) + values.mean()
    within = float((left**2).sum()) / ((n - 1) * (k - 1))
    halves = np.stack([values[::2].mean(axis=0), values[1::2].mean(axis=0)])
    r = float(np.corrcoef(halves)[0, 1]) if halves.std(axis=1).all() else np.nan
    return (between - within) / (between + (k - 1) * within), (between - within) / between, 2 * r / (1 + r)
