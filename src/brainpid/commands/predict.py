"""Predict new people with a saved model, from any subset of its modalities."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from brainpid.commands.options import check_out_table
from brainpid.config.schema import load_predict_config
from brainpid.core.errors import InputError, did_you_mean, list_some
from brainpid.core.files import write_table
from brainpid.crossfit.site_folds import FEWEST_SITES
from brainpid.crossfit.transforms import Standardizer, clipped_features, far_modalities
from brainpid.evaluation.atypicality import ATYPICAL, atypicality_of
from brainpid.evaluation.calibrated import calibrated, growth_in_words, with_expected_error
from brainpid.features.new_people import NewPeople, of_config, of_tables
from brainpid.features.source_versions import pipelines_of, warn_of_other_versions
from brainpid.model.age_bias import KNOWN, NEW_SITES, AgeBiases
from brainpid.model.calibration import (
    Calibration,
    Learned,
    learned_beside,
    models_learned,
    read_calibration,
    read_learned,
)
from brainpid.model.harmonised import Harmoniser
from brainpid.model.inputs import Layout
from brainpid.model.registry import MODELS, MultimodalRegressor
from brainpid.model.sites import KNOWN_WIDTH, SITE_SEEN, sites_seen, unseen_in_words

log = logging.getLogger(__name__)

COVERAGE = 0.9
"""Nominal coverage of intervals where neither the option nor the model's folder says another."""


class SavedModel(MultimodalRegressor, Protocol):
    """What prediction of new people needs besides."""

    layout_: Layout
    scalers_: Mapping[str, Standardizer]
    learned_new_sites: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--model", required=True, type=Path, help="folder of the model: final/<model>, a fold's, any")
    people = parser.add_mutually_exclusive_group(required=True)
    people.add_argument("--config", help="configuration whose cohorts are predicted; needs no target")
    people.add_argument(
        "--tables", nargs="+", metavar="MODALITY=FILE", help="tables keyed by participant_id, as those of the training"
    )
    parser.add_argument("--cohorts", nargs="+", help="with --config: cohorts to predict (default: all)")
    parser.add_argument("--site", help="with --tables: site that these people are of")
    parser.add_argument(
        "--coverage", type=float, help=f"of the intervals (default: that of the training, else {COVERAGE})"
    )
    parser.add_argument("--out", required=True, type=Path, help="table to write")


def run(args: argparse.Namespace) -> None:
    """Read the model and the people, write one line a person."""
    if args.coverage is not None and not 0 < args.coverage < 1:
        raise InputError(f"--coverage: expected a number between 0 and 1, found {args.coverage:g}")
    if args.cohorts is not None and args.config is None:
        raise InputError("--cohorts: expected with --config, found with --tables, whose people have no cohort")
    if args.site is not None and args.tables is None:
        raise InputError("--site: expected with --tables, found with --config, whose participants tables name sites")
    if args.site is not None and not args.site.strip():
        raise InputError("--site: expected the name of a site, found an empty text; leave it out where it is not known")
    check_out_table(args.out)
    paths = _paths(args.tables or [])
    provenance = read_provenance(args.model)
    model = load_model(args.model, provenance)
    local = local_knowledge(args.model, provenance)
    coverage = args.coverage
    if coverage is None:
        coverage = provenance.get("settings", {}).get("interval_coverage", COVERAGE)
    if args.config is not None:
        new = people_of_config(args.config, args.cohorts, args.model, model, provenance)
    else:
        if args.site is None and isinstance(local, Calibration) and local.sites:
            raise InputError(
                f"--tables: the model is calibrated at {list_some(sorted(local.sites))}, and tables do not say whose "
                "people they have; expected --site NAME, one of these or another"
            )
        new = of_tables(paths, feature_names(model, args.model), provenance.get("divided", {}))
        if args.site is None and (sites := getattr(model, "sites_", ())):
            log.warning(
                "tables do not say of which site these people are: they are read as of one of the training (%s), and "
                "their intervals are too narrow if they are not; --site NAME says it", list_some(sites),
            )  # fmt: skip
        site = None if args.site is None else args.site.strip()  # as cells of participants tables are read
        new = as_in_training(replace(new, sites=[site] * len(new.people)), args.model, model)
    table = predict_new(model, new, AgeBiases.read(provenance), coverage, local)
    warn_of_new_sites(model, new, local)
    write_table(args.out, table)
    log.info("%d of %d people are predicted", int(table["predicted_age"].notna().sum()), len(table))


def people_of_config(
    path: str, cohorts: list[str] | None, folder: Path, model: SavedModel, provenance: Mapping[str, Any]
) -> NewPeople:
    """Features of people of a configuration's cohorts as the model takes them; warns where they were made otherwise."""
    config = load_predict_config(path)
    chosen = list(config.cohorts) if cohorts is None else cohorts
    new = of_config(config, chosen, feature_names(model, folder), provenance.get("divided", {}), path)
    warn_of_other_versions(provenance.get("pipelines", {}), pipelines_of(config, chosen))
    return as_in_training(new, folder, model)


def as_in_training(new: NewPeople, folder: Path, model: SavedModel) -> NewPeople:
    """People with site effects taken away where training did so; warns of features that lie far from it."""
    if harmoniser := Harmoniser.load(folder):
        tables = harmoniser.apply(new.tables, new.sites, new.sexes)
        new = replace(new, tables=tables)
    for modality, part in far_modalities(new.tables, model.scalers_).items():
        log.warning(
            "%s: %.0f%% of the features lie farther from the training people than these did from one another; are the "
            "units, and what they are divided by, those of the training?", modality, 100 * part,
        )  # fmt: skip
    return new


def local_knowledge(folder: Path, provenance: Mapping[str, Any]) -> Calibration | Learned | None:
    """What is known of new sites: the calibration of a model's folder, or what the run of a final model learned."""
    path, name = learned_beside(folder), provenance.get("model")
    return read_calibration(folder, name) or (read_learned(path, name) if name in models_learned(path) else None)


def warn_of_new_sites(model: SavedModel, new: NewPeople, local: Calibration | Learned | None) -> None:
    """Name the sites that training has not seen and nobody has calibrated, and by how much errors grow there."""
    calibrated = set(local.sites) if isinstance(local, Calibration) else set()
    seen = sites_seen({*getattr(model, "sites_", ()), *calibrated}, new.sites)
    if not hasattr(model, "sites_") or not (words := unseen_in_words(new.sites, seen)):
        return
    grown = "" if local is None else f" ({growth_in_words(_learned(local))})"
    widths = "their intervals are as wide as errors at sites left out"
    log.warning(
        "%s; errors at new sites are larger%s, %s", words, grown,
        widths if isinstance(local, Calibration) else _intervals_at_new_sites(model),
    )  # fmt: skip


def read_provenance(folder: Path) -> dict[str, Any]:
    """Read ``provenance.json`` of a model's folder; empty where there is none."""
    path = folder / "provenance.json"
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: not readable as JSON: {fault}") from fault
    if wrong := _wrong_provenance(content):
        raise InputError(f"{path}: {wrong}; expected what was written with the model: train it again")
    return content


def _wrong_provenance(content: object) -> str | None:
    """What of a model's provenance is not as `train` writes it, among what prediction reads."""
    if not isinstance(content, dict):
        return f"expected a mapping, found {type(content).__name__}"
    if "model" in content and content["model"] not in list(MODELS):
        return f"model: {did_you_mean(str(content['model']), MODELS)}, found {content['model']!r}"
    settings, divided = (content.get(key, {}) for key in ("settings", "divided"))
    for key in (KNOWN, NEW_SITES):
        biases = content.get(key, {})
        if not isinstance(biases, dict) or not all(_is_line(line) for line in biases.values()):
            return f"{key}: expected intercept and slope of each subset of the modalities, found {biases!r}"
    coverage = settings.get("interval_coverage", COVERAGE) if isinstance(settings, dict) else settings
    if not isinstance(coverage, int | float) or not 0 < coverage < 1:
        return f"settings.interval_coverage: expected a number between 0 and 1, found {coverage!r}"
    ways = divided.values() if isinstance(divided, dict) else [divided]
    pipelines = content.get("pipelines", {})
    if not isinstance(pipelines, dict) or not all(
        isinstance(cohorts, dict) and all(isinstance(own, dict) for own in cohorts.values())
        for cohorts in pipelines.values()
    ):
        return f"pipelines: expected programs of each modality and cohort, found {pipelines!r}"
    if not all(way is None or (isinstance(way, dict) and (not way or {"by", "except"} <= set(way))) for way in ways):
        return f"divided: expected by and except of each modality, found {divided!r}"
    return None


def _is_line(content: object) -> bool:
    """Whether it is an intercept and a slope."""
    if not isinstance(content, dict) or set(content) != {"intercept", "slope"}:
        return False
    return all(isinstance(number, int | float) for number in content.values())


def load_model(folder: Path, provenance: Mapping[str, Any]) -> SavedModel:
    """Load the model of a folder, which `provenance` names where `train` made it.

    Raises
    ------
    InputError
        Where there is no model.
    """
    here = [name for name, entry in MODELS.items() if (folder / entry.file).is_file()]
    if not here:
        raise InputError(f"{folder}: expected a saved model, {list_some(sorted({e.file for e in MODELS.values()}))}")
    name = provenance.get("model", here[0])
    if name not in here:
        raise InputError(f"{folder}: provenance.json names the model '{name}', whose file is not there")
    if "model" in provenance or MODELS[name].file == "model.pt":
        model: SavedModel = MODELS[name].load_class().load(folder)
        return model
    from brainpid.model.baselines.base import Baseline  # a baseline that was saved in Python does not say which one

    return Baseline.load(folder)


def feature_names(model: SavedModel, folder: Path) -> dict[str, tuple[str, ...]]:
    """Names of the features that a model was fitted on, by modality."""
    layout = model.layout_
    if nameless := [modality for modality in layout.modalities if modality not in layout.names]:
        raise InputError(
            f"{folder}: the model does not know the names of its features of {list_some(nameless)}, so that columns "
            "cannot be matched; fit it to DataFrames"
        )
    return {modality: layout.names[modality] for modality in layout.modalities}


def predict_new(
    model: SavedModel,
    new: NewPeople,
    biases: AgeBiases,
    coverage: float,
    local: Calibration | Learned | None = None,
) -> pd.DataFrame:
    """One line a person: prediction, interval, and what acquiring a missing modality would narrow it by.

    Parameters
    ----------
    model : SavedModel
    new : NewPeople
    biases : AgeBiases
        Lines of the training people; without any where they are not known.
    coverage : float
        Nominal coverage of the intervals.
    local : Calibration or Learned, optional
        What is known of new sites: by a calibration, predictions and intervals are corrected there.

    Returns
    -------
    DataFrame
        The people, `site_seen` and `pi_width_known_site` where the model knows its training sites, `modalities` that
        each has, predicted_age, predicted_age_corrected, pi_low and pi_high, in the target's units; `atypicality`, 0 to
        1, how unusual the features are for any target, NaN by models that do not tell it; ``gain_<m>``, by how much the
        interval is expected to narrow, in the same units, NaN where the person has m; and `reason`, why a person has no
        prediction, or which features of a person who has one are so far from the training people that their values
        were clipped. Where something is known of new sites, the columns of `brainpid.evaluation.calibrated` too.
    """
    present = new.present
    some = present.any(axis=1).to_numpy()
    table = new.people.assign(
        modalities=["+".join(present.columns[row]) or None for row in present.to_numpy()],
        predicted_age=np.nan,
        predicted_age_corrected=np.nan,
        pi_low=np.nan,
        pi_high=np.nan,
        atypicality=np.nan,
        **{f"gain_{modality}": np.nan for modality in new.tables},
        reason=None,
    )
    seen = sites_seen(getattr(model, "sites_", ()), new.sites)
    if hasattr(model, "sites_"):
        place = table.columns.get_loc("modalities")
        table.insert(place, SITE_SEEN, seen)
        table.insert(place + 1, KNOWN_WIDTH, np.nan)
    far = {modality: clipped_features(features, model.scalers_[modality]) for modality, features in new.tables.items()}
    told = [far if has else new.reasons for has in some]
    reasons = [
        "; ".join(f"{modality}: {why[row]}" for modality, why in own.items() if why[row]) or None
        for row, own in enumerate(told)
    ]
    table["reason"] = reasons
    people = zip(table["participant_id"], some, reasons, strict=True)
    if clipped := [label for label, has, reason in people if has and reason]:
        log.warning(
            "%d of %d people have features so far from the training people that they are clipped (column reason): %s; "
            "are they measured, and no code for a missing value?", len(clipped), len(table), list_some(clipped, 3),
        )  # fmt: skip
    half_width = np.full(len(table), np.nan)
    if not some.any():
        return table if local is None else with_expected_error(table, half_width, new.sites, _learned(local))
    X = {modality: features[some] for modality, features in new.tables.items()}
    read = model.read(X, np.array(new.sites, dtype=object)[some])
    table.loc[some, "predicted_age"] = model.predict(read)
    table.loc[some, ["pi_low", "pi_high"]] = model.predict_interval(read, coverage)
    if KNOWN_WIDTH in table:
        table.loc[some, KNOWN_WIDTH] = model.known_site_width(read, coverage)
    for modality, gain in model.expected_gain(read, coverage).items():
        table.loc[some, f"gain_{modality}"] = gain
    if local is not None:
        learned = _learned(local)
        half_width[some] = np.diff(model.predict_interval(read, learned.spread.coverage), axis=1)[:, 0] / 2
        table = (
            calibrated(table, half_width, new.sites, local, coverage)
            if isinstance(local, Calibration)
            else with_expected_error(table, half_width, new.sites, learned)
        )
    if biases.known:
        own = table.loc[some, "modalities"].tolist()
        of_site = [one for one, has in zip(seen, some, strict=True) if has]
        corrected = biases.correct(table.loc[some, "predicted_age"].to_numpy(float), own, of_site)
        table.loc[some, "predicted_age_corrected"] = corrected
    table.loc[some, "atypicality"] = atypicality_of(model, read)
    _warn_of_atypical(table)
    return table


def _learned(local: Calibration | Learned) -> Learned:
    """What was learned from sites left out."""
    return local.learned if isinstance(local, Calibration) else local


def _intervals_at_new_sites(model: SavedModel) -> str:
    """What intervals of people of new sites are worth, in words."""
    if model.learned_new_sites:
        return "and their intervals are wider, as training sites that were left out have shown"
    return f"and their intervals too narrow: these need training at {FEWEST_SITES} sites or more"


def _warn_of_atypical(table: pd.DataFrame) -> None:
    """Name people whose features are unusual for any target."""
    far = table.loc[table["atypicality"] > ATYPICAL, "participant_id"].tolist()
    if far:
        log.warning(
            "%d of %d people have features that are unusual for any age (column atypicality above %g, 1 in 100 of "
            "people like the training's): %s; look at their images and units before their predictions are believed",
            len(far), len(table), ATYPICAL, list_some(far, 3),
        )  # fmt: skip


def _paths(pairs: list[str]) -> dict[str, Path]:
    """Modalities and their tables."""
    paths: dict[str, Path] = {}
    for pair in pairs:
        modality, separator, path = pair.partition("=")
        if not separator or not modality or not path:
            raise InputError(f"--tables: expected MODALITY=FILE, such as t1=t1.tsv, found '{pair}'")
        if modality in paths:
            raise InputError(f"--tables: the modality '{modality}' is given twice")
        paths[modality] = Path(path)
    return paths
