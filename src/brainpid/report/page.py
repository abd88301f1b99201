"""The report of a run as one HTML page without outside references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, NamedTuple

import jinja2
import numpy as np
import pandas as pd

from brainpid.cohort.participants import STATUSES, has_every_modality
from brainpid.config.slices import ReportSettings
from brainpid.core.names import GAUSSIAN_SCORE, LOG_SCORE_ESTIMATOR, WEIGHTED, WITHIN_COHORT
from brainpid.crossfit.encoders import ENCODERS
from brainpid.evaluation.accuracy import MIN_PEOPLE_OF_PATTERN
from brainpid.evaluation.atypicality import ATYPICAL
from brainpid.evaluation.random_effects import POOLED
from brainpid.model.registry import MODELS
from brainpid.pid.result import MIN_PEOPLE_FOR_SMALL_ADDED, SMALL_ADDED_BITS
from brainpid.report.figures import MOST_FEATURES
from brainpid.report.glossary import CANNOT_SAY, ESTIMATORS, MEASURES

SIGNIFICANT = 0.05
MOST_LEFT_OUT = 20
"""Features of a modality that are named where they are left out; all stand in ``features.tsv``."""
LABELS = {name: entry.label for name, entry in MODELS.items()}
"""Names of models for people, in the order in which the decompositions are shown."""
WITHIN = {name: f"{entry.label}, fitted within the cohort" for name, entry in ENCODERS.items()}
"""Names of the null's encoders for people."""
ESTIMATOR_LABELS = {LOG_SCORE_ESTIMATOR: "log score", GAUSSIAN_SCORE: "Gaussian score", WEIGHTED: "log score, weighted"}
BASE_LEARNER_LABELS = {
    "network": "networks",
    "normative": "normative model of the target",
    "normative_scores": "normative model of its normal score",
    "kernel": "Gaussian processes",
    "forest": "forest",
    "boosting": "boosted trees",
    "head": "joining of the modalities' latents",
}


class QCImage(NamedTuple):
    """A picture of one person's image, and why it is shown; `png` is base64."""

    modality: str
    cohort: str
    participant_id: str
    why: str
    outlier_in: str
    png: str


def render(
    settings: ReportSettings,
    tables: Mapping[str, pd.DataFrame],
    choice: Mapping[str, Any],
    explained: Mapping[str, Any],
    made_of: Mapping[str, Any],
    figures: Mapping[str, str],
    qc_images: Sequence[QCImage],
    generated_by: str,
    said_of_images: Sequence[str] = (),
    mixed_versions: Sequence[str] = (),
    against_target: Sequence[str] = (),
    with_truth: Sequence[str] = (),
) -> str:
    """Compose the page.

    Parameters
    ----------
    settings : ReportSettings
        Title, target, and what was run.
    tables : mapping of str to DataFrame
        ``participants``, ``features``, ``accuracy``, ``comparison``, ``coverage``, ``predictions``, ``pid``,
        ``normality``, ``person``, ``selection``, ``importance``, ``base_learners`` and ``atypicality`` as they stand in
        the output folder.
    choice : mapping
        ``aggregate/selection.json``: what the choice among subsets is worth.
    explained : mapping
        ``aggregate/importance.json``: how far importances agree between folds.
    made_of : mapping
        ``Choices`` of ``aggregate/base_learners.json``: what the folds of each model chose.
    figures : mapping of str to str
        SVG text of each figure.
    qc_images : sequence of QCImage
        Pictures of single people; none where no features come from images.
    generated_by : str
        Program and version, for the foot of the page.
    said_of_images : sequence of str
        What was chosen among people's images, and what of them is doubtful.
    mixed_versions : sequence of str
        Libraries of which folds were trained by different versions.
    against_target : sequence of str
        Readings that fall as the target rises.
    with_truth : sequence of str
        Cohorts of which the true information is known and drawn.
    """
    participants, accuracy, pid = tables["participants"], tables["accuracy"], tables["pid"]
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True).from_string(
        resources.files("brainpid").joinpath("report/templates/report.html").read_text(encoding="utf-8")
    )
    everything = "+".join(settings.modalities)
    complete = accuracy[accuracy["modalities"] == everything]
    best = complete[complete["cohort"] == _headline_cohort(complete)].sort_values("mae").iloc[0]
    shown = settings.models[0]
    coverage, subsets, predictions = tables["coverage"], tables["selection"], tables["predictions"]
    all_people = coverage[coverage["kind"] == "all"]
    return template.render(
        settings=settings,
        labels=LABELS,
        within=WITHIN,
        figures=figures,
        qc_images=qc_images,
        said_of_images=said_of_images,
        mixed_versions=mixed_versions,
        against_target=against_target,
        with_truth=with_truth,
        generated_by=generated_by,
        best=best,
        flow=_flow(participants, settings.modalities),
        reasons=_reasons(participants, settings.modalities),
        n_features=tables["features"].groupby("modality", sort=False).size().to_dict(),
        left_out=_left_out(tables["features"]),
        notes=_notes(tables["features"]),
        accuracy=complete.to_dict("records"),
        comparison=tables["comparison"].to_dict("records"),
        by_pattern=_by_pattern(accuracy[accuracy["model"] == shown], everything),
        fewest=MIN_PEOPLE_OF_PATTERN,
        coverage=dict(zip(all_people["model"], all_people["coverage"], strict=True)),
        coverage_of=coverage[coverage["model"] == shown].to_dict("records"),
        subsets=subsets.sort_values(["cost", "mae"], kind="stable").to_dict("records"),
        recommended=subsets[subsets["recommended"]].iloc[0],
        choice=choice,
        explained=explained,
        importance=_importance(tables["importance"]),
        atypicality=tables["atypicality"].to_dict("records"),
        atypical=ATYPICAL,
        beyond=_beyond(predictions[predictions["model"] == shown]),
        base_learners=tables["base_learners"].to_dict("records"),
        made_of=made_of,
        learner_labels=BASE_LEARNER_LABELS,
        sentence=_choices,
        information=_information(pid, settings),
        estimators=ESTIMATORS,
        estimator_labels=ESTIMATOR_LABELS,
        totals=_totals(pid, tables["person"], settings),
        verdicts=_verdicts(pid, settings),
        normality=tables["normality"].to_dict("records"),
        measures=MEASURES,
        cannot_say=CANNOT_SAY,
        has_pooled=(complete["cohort"] == POOLED).any(),
        number=_number,
        interval=_interval,
    )


def _headline_cohort(accuracy: pd.DataFrame) -> str:
    """The pooled rows where there are any, else the only cohort."""
    return POOLED if (accuracy["cohort"] == POOLED).any() else str(accuracy["cohort"].iloc[0])


def _flow(participants: pd.DataFrame, modalities: Sequence[str]) -> list[dict[str, Any]]:
    """How many people each cohort has, who has which modality, and who takes part."""
    return [
        {
            "cohort": cohort,
            "n": len(rows),
            "included": int(rows["included"].sum()),
            "complete": int((rows["included"] & has_every_modality(rows, modalities)).sum()),
            "ages": f"{rows['age'].min():.4g} to {rows['age'].max():.4g}",
            "status": {
                modality: rows[f"{modality}_status"].value_counts().reindex(STATUSES, fill_value=0).to_dict()
                for modality in modalities
            },
        }
        for cohort, rows in participants.groupby("cohort", sort=False)
    ]


def _reasons(participants: pd.DataFrame, modalities: Sequence[str]) -> list[tuple[str, str, int]]:
    """Why people do not take part: cohort, reason, number of people."""
    excluded = participants[~participants["included"]]
    counts = excluded.groupby(["cohort", "reason"], sort=False).size().sort_values(ascending=False)
    return [(cohort, reason, int(count)) for (cohort, reason), count in counts.items()]


def _left_out(features: pd.DataFrame) -> list[dict[str, Any]]:
    """Features that take no part: of each modality how many, and the first of them with their reasons."""
    left_out = features[~features["included"].astype(bool)]
    return [
        {
            "modality": modality,
            "n": len(rows),
            "named": rows[["feature", "reason"]].head(MOST_LEFT_OUT).to_dict("records"),
        }
        for modality, rows in left_out.groupby("modality", sort=False)
    ]


def _notes(features: pd.DataFrame) -> list[dict[str, Any]]:
    """What is to be known of values of features: each note once, with its first feature and how many more have it."""
    noted = features[features["note"].fillna("") != ""]
    return [
        {"modality": modality, "note": note, "first": rows["feature"].iloc[0], "more": len(rows) - 1}
        for (modality, note), rows in noted.groupby(["modality", "note"], sort=False)
    ][:MOST_LEFT_OUT]


def _by_pattern(accuracy: pd.DataFrame, everything: str) -> list[dict[str, Any]]:
    """Accuracy of one model by what people have; nothing where everybody has everything."""
    return accuracy.to_dict("records") if (accuracy["modalities"] != everything).any() else []


def _totals(pid: pd.DataFrame, person: pd.DataFrame, settings: ReportSettings) -> list[dict[str, Any]]:
    """Information in each model's prediction and in its decompositions, of people with every modality of a cohort."""
    everything = set(settings.modalities)
    complete = person[[set(str(own).split("+")) == everything for own in person["modalities"]]]
    chosen = pid[(pid["scope"] == "all") & (pid["atom"] == "total") & (pid["measure"] == settings.pid.measures[0])]
    rows = []
    for (model, cohort), people in complete.groupby(["model", "cohort"], sort=False):
        own = chosen[(chosen["model"] == model) & (chosen["cohort"] == cohort)].set_index("estimator")["bits"]
        if len(own):
            told = {name: own.get(name, np.nan) for name in ESTIMATORS}
            rows.append(
                {"model": model, "cohort": cohort, "n": len(people), "prediction": people["information"].mean()} | told
            )
    return rows


def _information(pid: pd.DataFrame, settings: ReportSettings) -> list[dict[str, Any]]:
    """Decomposition table of each cohort and model: one line a modality, atoms as columns."""
    tables = []
    rows = pid[(pid["scope"] == "one_vs_rest") & ~pid["model"].str.endswith(WITHIN_COHORT)]
    for (model, cohort, estimator), chosen in rows.groupby(["model", "cohort", "estimator"], sort=False):
        measure = "idep" if "idep" in settings.pid.measures else settings.pid.measures[0]
        chosen = chosen[chosen["measure"] == measure].set_index(["modalities", "atom"])
        total = chosen.xs("total", level="atom").iloc[0]
        lines = [
            {"modality": modality, **{str(atom): row for atom, row in chosen.loc[modality].iterrows()}}
            for modality in settings.modalities
        ]
        tables.append(
            {
                "cohort": cohort, "model": model, "estimator": estimator, "measure": measure, "n": int(total["n"]),
                "total": total, "lines": lines,
            }
        )  # fmt: skip
    return sorted(
        tables, key=lambda table: (list(LABELS).index(table["model"]), list(ESTIMATORS).index(table["estimator"]))
    )


def _verdicts(pid: pd.DataFrame, settings: ReportSettings) -> list[dict[str, Any]]:
    """What each modality adds by the first model, what by the reader that is tested, and whether it is shown."""
    added = pid[pid["atom"] == "added"].drop_duplicates(["model", "cohort", "modalities"])  # the headline comes first
    keys = ["cohort", "modalities"]
    tested = added[added["model"] == settings.null.encoder + WITHIN_COHORT].rename(columns={"bits": "tested_bits"})
    rows = added[added["model"] == settings.models[0]].drop(columns="p_value")
    rows = rows.merge(tested[[*keys, "tested_bits", "p_value"]], how="left", on=keys)
    return [row | {"verdict": _verdict(row)} for row in rows.to_dict("records")]


def _verdict(row: Mapping[Any, Any]) -> str:
    """Words for what a modality adds; shown takes both a test's p-value below .05 and the model's interval above 0."""
    if not np.isfinite(row["p_value"]):
        return "not tested"
    if row["p_value"] < SIGNIFICANT and row["ci_low"] > 0:
        return "shown"
    if row["bits"] < SMALL_ADDED_BITS and row["n"] < MIN_PEOPLE_FOR_SMALL_ADDED:
        return f"not shown; so little cannot be told from zero with fewer than {MIN_PEOPLE_FOR_SMALL_ADDED} people"
    return "not shown"


def _importance(importance: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Rows of the modalities, and of the features that count most."""
    scopes = {scope: importance[importance["scope"] == scope] for scope in ("modality", "feature")}
    return {scope: rows.head(MOST_FEATURES).to_dict("records") for scope, rows in scopes.items()}


def _choices(own: Mapping[str, Any]) -> str:
    """What the folds of a model chose, in a sentence or two."""
    n = own["n_folds"]
    words = {"normal_scores": "as normal scores", "none": "as they are"}

    def counted(found: Mapping[str, int], said: Mapping[str, str]) -> str:
        return ", ".join(f"{said.get(value, value)} in {count} of {n} folds" for value, count in found.items())

    return (
        f"In the pilot on some training people boosted trees took away {100 * own['pilot_fall']:.1f}% of the squared "
        f"error (standard error {100 * own['pilot_spread']:.1f}%, means over folds). Recipe: "
        f"{counted(own['recipe'], {})}. Features entered {counted(own['feature_transform'], words)}."
    )


def _beyond(predictions: pd.DataFrame) -> int:
    """How many people of one model are more atypical than `ATYPICAL`, repeats averaged."""
    people = predictions.groupby(["cohort", "participant_id"], sort=False)["atypicality"].mean()
    return int((people > ATYPICAL).sum())


def _number(value: float, digits: int = 2) -> str:
    """A number for reading; a dash where there is none."""
    return f"{round(value, digits) + 0.0:.{digits}f}" if np.isfinite(value) else "–"  # a zero has no sign


def _interval(row: Mapping[str, float], digits: int = 3) -> str:
    """An estimate with its interval."""
    low, high = row["ci_low"], row["ci_high"]
    reach = f" [{_number(low, digits)}, {_number(high, digits)}]" if np.isfinite(low) else ""
    return _number(row["bits"], digits) + reach
