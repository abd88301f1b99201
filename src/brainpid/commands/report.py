"""Draw the figures and write the report."""

from __future__ import annotations

import argparse
import base64
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from brainpid import __version__
from brainpid.cohort.acquisitions import counted, different
from brainpid.cohort.schemes import of_scheme
from brainpid.cohort.training_group import training_group
from brainpid.cohort.truth import read_truths
from brainpid.commands.options import add_settings, read_settings
from brainpid.config.slices import ReportSettings
from brainpid.core.files import read_json, read_own_tsv, write_json, write_text
from brainpid.core.names import LOG_SCORE_ESTIMATOR
from brainpid.core.provenance import record
from brainpid.evaluation.information import joint_distances
from brainpid.evaluation.local_promise import left_out_scheme
from brainpid.evaluation.random_effects import POOLED
from brainpid.features.person_results import picture_path
from brainpid.features.quality import to_look_at
from brainpid.report import figures
from brainpid.report.beyond import headline_given, rows_given
from brainpid.report.forest import contributions, forest
from brainpid.report.groups import groups_figure
from brainpid.report.motion import MEASURE
from brainpid.report.new_sites import of_new_sites
from brainpid.report.output_folder import bidsignore, readme
from brainpid.report.pad_figure import brain_pad, pads, people_of_pads
from brainpid.report.page import QCImage, render
from brainpid.report.person_figure import persons
from brainpid.report.transfer import transfer_forest

GLASS_MM = 4
"""Voxel of the atlases on the glass brain, as coarse as the picture shows them."""
WORST, OTHERS = 3, 3
"""People of each modality whose pictures are shown."""
TABLES = [
    "accuracy", "comparison", "coverage", "predictions", "pid", "pooling", "controls", "normality", "person", "latents",
    "selection", "importance", "base_learners", "atypicality", "leakage",
]  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--results", required=True, type=Path, help="output folder of the run")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Read the tables, write figures, report, and what the output folder says of itself."""
    settings = read_settings(args, ReportSettings)
    folder = args.results
    tables = {name: read_own_tsv(folder / f"aggregate/{name}.tsv") for name in TABLES}
    tables |= {name: read_own_tsv(folder / f"{name}.tsv") for name in ("participants", "features")}
    schemes = settings.splits.schemes
    trained = training_group(tables["predictions"])
    tables["new_sites"] = of_new_sites(trained)
    tables["predictions"] = of_scheme(trained, schemes[0])
    tables["person"] = training_group(tables["person"])
    for name in [*(["groups"] if settings.compared else []), *(["others"] if settings.train_on else [])]:
        tables[name] = read_own_tsv(folder / f"aggregate/{name}.tsv")
    tables["accuracy"] = tables["accuracy"][tables["accuracy"]["scheme"] == schemes[0]]
    if len(schemes) > 1:
        tables["transfer"] = read_own_tsv(folder / "aggregate/transfer.tsv")
    if left_out_scheme(schemes):
        tables["calibration"] = read_own_tsv(folder / "aggregate/calibration.tsv")
    if settings.harmonise.used:
        tables["harmonisation"] = read_own_tsv(folder / "aggregate/harmonisation.tsv")
    tables["motion"] = _motion(folder, settings.image_modalities)
    label = f"{settings.target.column} ({settings.target.units})"
    shown = settings.models[0]
    truth = read_truths(settings.data_folders, settings.modalities, POOLED)
    distances = joint_distances(tables["latents"], shown, settings.modalities)
    own_predictions = tables["predictions"][tables["predictions"]["model"] == shown]
    of_people = pads(own_predictions, tables["participants"])
    given = headline_given(tables["pid"])
    pid, pooling = rows_given(tables["pid"], given), rows_given(tables["pooling"], given)
    if given:  # truths are of all there is
        truth = truth.iloc[:0]
    named = (shown, settings.modalities, LOG_SCORE_ESTIMATOR)
    drawn = {
        "contributions": figures.to_svg(contributions(pid, *named, truth)),
        "predicted_age": figures.to_svg(
            figures.predicted_age(tables["predictions"], settings.models, label),
            figures.people_of_dots(tables["predictions"], settings.target.units),
        ),
        "brain_pad": figures.to_svg(
            brain_pad(of_people, settings.pid.confidence, settings.target.column, settings.target.units),
            people_of_pads(of_people, settings.target.units),
        ),
        "modalities": figures.to_svg(
            forest(pid, pooling, *named, truth)
            if ((pid["cohort"] == POOLED) & (pid["model"] == shown)).any()
            else figures.modalities(pid, *named, truth)
        ),
        "persons": figures.to_svg(persons(tables["person"], shown, settings.modalities, settings.target.units)),
        "normality": figures.to_svg(figures.normality(distances)),
        "selection": figures.to_svg(
            figures.selection(tables["selection"], settings.target.column, settings.target.units)
        ),
    }
    if len(schemes) > 1:
        drawn["transfer"] = figures.to_svg(transfer_forest(tables["transfer"], shown, schemes, settings.target.units))
    if "groups" in tables:
        drawn["groups"] = figures.to_svg(
            groups_figure(tables["groups"], shown, settings.target.column, settings.target.units)
        )
    if settings.explain.permutations:
        drawn["importance"] = figures.to_svg(figures.importance(tables["importance"], settings.target.units))
        if settings.atlases:
            drawn["glass_brain"] = _glass_brain(tables["importance"], settings)
    for name, svg in drawn.items():
        write_text(folder / f"figures/{name}.svg", svg)
    qc_images = [look for modality in settings.image_modalities for look in _quality(folder, modality)]
    said = [words for modality in settings.image_modalities for words in _said(folder, modality)]
    choice = read_json(folder / "aggregate/selection.json")
    explained = read_json(folder / "aggregate/importance.json")
    of_tables = read_json(folder / "aggregate/provenance.json")
    made_of = read_json(folder / "aggregate/base_learners.json")["Choices"]
    page = render(
        settings,
        tables,
        choice,
        explained,
        made_of,
        drawn,
        qc_images,
        f"Generated by brainpid {__version__}",
        of_tables["trained_with"],
        said,
        of_tables["mixed_versions"],
        of_tables["readings_against_target"],
        [cohort for cohort in settings.data_folders if (truth["cohort"] == cohort).any()],
    )
    provenance = record(__name__, settings.model_dump(mode="json"), ("numpy", "matplotlib"))
    write_json(
        folder / "dataset_description.json",
        {
            "Name": settings.title,
            "BIDSVersion": "1.10.0",
            "DatasetType": "derivative",
            "GeneratedBy": [
                {"Name": "brainpid", "Version": __version__, "CodeDigest": provenance["generated_by"]["code"]}
            ],
        },
    )
    cohort, modality = next((cohort, modality) for cohort, own in settings.inputs.items() for modality in own)
    write_text(folder / "README.md", readme(settings.title, f"brainpid {__version__}", cohort, modality))
    write_text(folder / ".bidsignore", bidsignore())
    write_text(folder / "report.html", page)


def _glass_brain(importance: pd.DataFrame, settings: ReportSettings) -> str:
    """SVG of the regions' importance in the atlases by which features were made."""
    # Plotting of brains takes longer to import than the page to make, and runs from tables have none.
    from brainpid.imaging.atlas_files import atlas_of
    from brainpid.imaging.default_atlases import gray_matter, white_matter
    from brainpid.report.glass_brain import glass_brain

    cut = {"gray": gray_matter, "white": white_matter}
    atlases = {
        modality: atlas_of(own.files, partial(cut[own.tissue], GLASS_MM)) for modality, own in settings.atlases.items()
    }
    return figures.to_svg(glass_brain(importance, atlases, settings.target.units))


def _motion(folder: Path, modalities: Sequence[str]) -> pd.DataFrame:
    """Motion of everybody in the modalities that measure it."""
    columns = ["modality", "cohort", "participant_id", MEASURE]
    found = [read_own_tsv(folder / f"quality/{modality}.tsv") for modality in modalities]
    measured = [table[columns] for table in found if MEASURE in table]
    return pd.concat([pd.DataFrame(columns=columns), *measured], ignore_index=True).astype({MEASURE: float})


def _said(folder: Path, modality: str) -> list[str]:
    """What was chosen among people's images of one modality, what is doubtful, and where they get different ones."""
    said: list[str] = []
    for cohort, rows in read_own_tsv(folder / f"quality/{modality}.tsv").groupby("cohort", sort=False):
        texts = rows[["note", "acquisition"]].fillna("").astype(str).set_index(rows["participant_id"].astype(str))
        words = [different(texts["acquisition"].to_dict()), *counted(texts["note"].to_dict())]
        said += [f"{cohort} {modality}: {one}" for one in words if one]
    return said


def _quality(folder: Path, modality: str) -> list[QCImage]:
    """Pictures of the people of one modality to look at, and the measures in which they stand out."""
    table = read_own_tsv(folder / f"quality/{modality}.tsv")
    pictures = [
        picture_path(folder / f"features/persons/{row.cohort}/{modality}", row.participant_id)
        for row in table.itertuples()
    ]
    table = table.assign(picture=[str(path) if path.is_file() else "" for path in pictures])
    chosen = to_look_at(table[table["picture"] != ""], WORST, OTHERS, seed=0)
    return [
        QCImage(
            modality,
            str(row.cohort),
            str(row.participant_id),
            str(row.why),
            "" if pd.isna(row.outlier_in) else str(row.outlier_in),
            base64.b64encode(Path(str(row.picture)).read_bytes()).decode(),
        )
        for row in chosen.itertuples()
    ]
