"""The report of a run as one HTML page without outside references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import jinja2
import pandas as pd

from brainpid.cohort.participants import STATUSES, SUCCESS, has_every_modality
from brainpid.config.slices import ReportSettings
from brainpid.evaluation.accuracy import MIN_PEOPLE_OF_PATTERN
from brainpid.evaluation.atypicality import ATYPICAL
from brainpid.evaluation.random_effects import POOLED
from brainpid.report.age_ranges import reference_rows
from brainpid.report.beyond import beyond_rows, control_rows, headline_given, in_words, rows_given
from brainpid.report.figures import MOST_FEATURES
from brainpid.report.flags import red_flags
from brainpid.report.glossary import CANNOT_SAY, ESTIMATORS, MEASURES
from brainpid.report.groups import group_rows, group_sentences, trained_in_words
from brainpid.report.harmonised import harmonisation_rows, harmonisation_sentences
from brainpid.report.information import information, totals, verdicts
from brainpid.report.inlined import inline, packaged
from brainpid.report.leaks import leak_rows
from brainpid.report.local_people import rows_of, sentence
from brainpid.report.methods import methods_text
from brainpid.report.motion import MUCH_MM, motion_table, people_of_motion
from brainpid.report.new_sites import have_own_lines, new_site_sentences
from brainpid.report.pad_figure import pad_table, pads
from brainpid.report.references import bibtex
from brainpid.report.sites import site_table
from brainpid.report.summary import summarise
from brainpid.report.transfer import card, over_people, sentences
from brainpid.report.words import BASE_LEARNER_LABELS, ESTIMATOR_LABELS, LABELS, WITHIN, interval, number, tenths

MOST_LEFT_OUT = 20
"""Features of a modality that are named where they are left out; all stand in ``features.tsv``."""
MOST_LEFT_PEOPLE = 1000
"""People who do not take part that are named; all stand in ``participants.tsv``."""
SECTIONS = {
    "accuracy": "Accuracy",
    "groups": "Groups of people",
    "elsewhere": "How it fares elsewhere",
    "intervals": "Do the intervals hold what they promise?",
    "information": "What each modality tells",
    "worth": "Which modalities are worth their cost",
    "rests": "What predictions rest on",
    "people": "Who takes part",
    "leaks": "Leaks: what makes results too good",
    "images": "Choice of images",
    "quality": "Image quality",
    "made": "How it was made",
    "methods": "Methods, ready to paste",
}
"""Titles of the page's sections by their `id`, in their order."""
ALTERNATIVES = {
    "contributions": "Information that each modality has alone and adds, with intervals; the numbers stand in tables",
    "predicted_age": "Predicted against true target, one dot a person, one panel a model",
    "transfer": "Mean absolute error of everybody, cohorts and sites under each scheme, and the gaps with intervals",
    "groups": "Difference of predicted less true target between groups of people, with intervals, by cohort",
    "brain_pad": "Predicted less true target by cohort and sex, one dot a person, with the mean of each group",
    "modalities": "Information of each modality in every cohort, with intervals; the numbers stand in the tables",
    "persons": "Distribution over people of information and of predicted less true target",
    "normality": "Squared Mahalanobis distances of people against what joint normality expects",
    "selection": "Mean absolute error of every subset of the modalities against its cost",
    "importance": "Change of predictions as the features that count most are permuted",
    "glass_brain": "Change of predictions as regions are permuted, on a brain seen from left, behind, right and above",
}
"""What stands for a figure where it is not seen."""


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
    trained_with: Mapping[str, str],
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
        ``controls``, ``normality``, ``person``, ``selection``, ``importance``, ``base_learners``, ``atypicality`` and
        ``leakage`` as they stand in the output folder, of the first scheme and the training group; ``new_sites``, what
        `report.new_sites.of_new_sites` gives of ``predictions`` of all schemes; ``transfer``, of several; ``groups``
        and ``others``, where groups are compared and a part is trained on; ``calibration``, of one that leaves
        sites out; ``harmonisation``, where there is any; and ``motion``, of the quality tables that measure it.
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
    trained_with : mapping of str to str
        Versions of Python and the libraries by which the folds were trained.
    said_of_images : sequence of str
        What was chosen among people's images, and what of them is doubtful.
    mixed_versions : sequence of str
        Libraries of which folds were trained by different versions.
    against_target : sequence of str
        Readings that fall as the target rises.
    with_truth : sequence of str
        Cohorts of which the true information is known and drawn.
    """
    every_given = tables["pid"]
    given = headline_given(every_given)
    tables = {**tables, "pid": rows_given(every_given, given)}
    participants, accuracy, pid = tables["participants"], tables["accuracy"], tables["pid"]
    everything = "+".join(settings.modalities)
    complete = accuracy[accuracy["modalities"] == everything]
    shown = settings.models[0]
    told = verdicts(pid, settings)
    importance = _importance(tables["importance"])
    coverage, subsets = tables["coverage"], tables["selection"]
    predictions = tables["predictions"][tables["predictions"]["model"] == shown]
    motion = motion_table(people_of_motion(tables["motion"], predictions))
    optional = {
        "groups": "groups" in tables,
        "elsewhere": "transfer" in tables or "calibration" in tables,
        "rests": bool(importance["feature"]),
        "images": bool(said_of_images),
        "quality": bool(qc_images) or bool(motion),
    }
    all_people = coverage[coverage["kind"] == "all"]
    return _template().render(
        settings=settings,
        labels=LABELS,
        within=WITHIN,
        style=packaged("report/templates/report.css"),
        script=packaged("report/templates/report.js"),
        contents=[(place, title) for place, title in SECTIONS.items() if optional.get(place, True)],
        titles=SECTIONS,
        summary=summarise(settings, tables, choice, told),
        flags=red_flags(settings, tables, told, mixed_versions, against_target, every_given),
        methods=methods_text(settings, tables, made_of, trained_with, given),
        bibtex=bibtex(settings, bool(given), bool(len(tables.get("calibration", ())))),
        figures={name: inline(name, svg, ALTERNATIVES[name]) for name, svg in figures.items()},
        names_dots="<title>" in figures["predicted_age"],
        several_folds=bool((tables["importance"]["n_folds"] > 1).any()),
        several=((pid["cohort"] == POOLED) & (pid["model"] == shown)).any(),
        qc_images=qc_images,
        said_of_images=said_of_images,
        against_target=against_target,
        with_truth=with_truth,
        generated_by=generated_by,
        flow=_flow(participants, settings.modalities),
        reasons=_reasons(participants, settings.modalities),
        left_people=_left_people(participants),
        lacking=_lacking(participants, settings.modalities),
        n_features=tables["features"].groupby("modality", sort=False).size().to_dict(),
        left_out=_left_out(tables["features"]),
        notes=_notes(tables["features"]),
        accuracy=complete.to_dict("records"),
        comparison=tables["comparison"].to_dict("records"),
        by_pattern=_by_pattern(accuracy[accuracy["model"] == shown], everything),
        sites=site_table(predictions),
        reference_rows=reference_rows(rows_given(every_given, ""), shown),
        pads=pad_table(pads(predictions, participants), settings.pid.confidence),
        motion=motion,
        much_mm=MUCH_MM,
        fewest=MIN_PEOPLE_OF_PATTERN,
        groups=tables.get("groups"),
        others=tables["others"].to_dict("records") if "others" in tables else [],
        group_rows=group_rows,
        group_sentences=group_sentences,
        trained_words=trained_in_words(participants, settings),
        transfer=tables.get("transfer"),
        harmonisation=harmonisation_rows(tables["harmonisation"], settings) if settings.harmonise.used else [],
        harmonisation_sentences=harmonisation_sentences(tables["harmonisation"], settings)
        if settings.harmonise.used
        else [],
        transfer_card=card,
        transfer_sentences=sentences,
        over_people=over_people,
        local_people=tables.get("calibration"),
        local_rows=rows_of,
        local_sentence=sentence(tables.get("calibration"), settings),
        coverage=dict(zip(all_people["model"], all_people["coverage"], strict=True)),
        new_sites=new_site_sentences(tables["new_sites"], settings),
        new_site_lines=have_own_lines(tables["new_sites"], settings),
        coverage_of=_coverage_of(coverage[coverage["model"] == shown]),
        subsets=subsets.sort_values(["cost", "mae"], kind="stable").to_dict("records"),
        recommended=subsets[subsets["recommended"]].iloc[0],
        choice=choice,
        explained=explained,
        importance=importance,
        atypicality=tables["atypicality"].to_dict("records"),
        atypical=ATYPICAL,
        unusual=_beyond(predictions),
        base_learners=tables["base_learners"].to_dict("records"),
        made_of=made_of,
        learner_labels=BASE_LEARNER_LABELS,
        sentence=_choices,
        information=information(pid, settings),
        given=in_words(given) if given else "",
        not_given=information(rows_given(every_given, ""), settings) if given else [],
        beyond=beyond_rows(every_given, shown, settings.modalities),
        of_controls=control_rows(tables["controls"]),
        estimators=ESTIMATORS,
        estimator_labels=ESTIMATOR_LABELS,
        totals=totals(rows_given(every_given, ""), tables["person"], settings),
        verdicts=told,
        normality=tables["normality"].to_dict("records"),
        leaks=leak_rows(tables["leakage"]),
        measures=MEASURES,
        cannot_say=CANNOT_SAY,
        has_pooled=(complete["cohort"] == POOLED).any(),
        number=number,
        interval=interval,
    )


@cache
def _template() -> jinja2.Template:
    """Compile the page's template, in which everything is escaped that does not say otherwise."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(packaged("report/templates/report.html"))


def _flow(participants: pd.DataFrame, modalities: Sequence[str]) -> list[dict[str, Any]]:
    """How many people each cohort has, who has which modality, and who takes part."""
    return [
        {
            "cohort": cohort,
            "n": len(rows),
            "included": int(rows["included"].sum()),
            "complete": int((rows["included"] & has_every_modality(rows, modalities)).sum()),
            "ages": f"{tenths(rows['age'].min())} to {tenths(rows['age'].max())}",
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


def _left_people(participants: pd.DataFrame) -> list[dict[str, Any]]:
    """People who do not take part, each with the reason, up to `MOST_LEFT_PEOPLE`."""
    rows = participants[~participants["included"].astype(bool)].head(MOST_LEFT_PEOPLE)
    return rows[["cohort", "participant_id", "reason"]].fillna("").astype(str).to_dict("records")


def _lacking(participants: pd.DataFrame, modalities: Sequence[str]) -> list[dict[str, Any]]:
    """Modalities that single people lack, each with status and reason, up to `MOST_LEFT_PEOPLE`."""
    parts = [
        participants[["cohort", "participant_id"]].assign(
            modality=modality,
            status=participants[f"{modality}_status"],
            reason=participants[f"{modality}_reason"].fillna(""),
        )
        for modality in modalities
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows[rows["status"] != SUCCESS].head(MOST_LEFT_PEOPLE).astype(str).to_dict("records")


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


def _coverage_of(coverage: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Coverage of one model: of people and of bands; without sites that are a cohort under another name."""
    same = ["n", "coverage", "mean_width", "interval_score"]
    cohorts = coverage.loc[coverage["kind"] == "cohort", same].apply(tuple, axis=1)
    repeated = (coverage["kind"] == "site") & coverage[same].apply(tuple, axis=1).isin(list(cohorts))
    bands = coverage["kind"].isin(["predicted band", "band"])
    return {
        "people": coverage[~bands & ~repeated].to_dict("records"),
        "bands": coverage[bands].to_dict("records"),
    }


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
