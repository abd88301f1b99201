"""Features of people whom a saved model is to predict, matched by name with those that it was fitted on.

Columns are found by their names, so that their order does not matter and further ones are ignored; a column that is
absent is an error, because a filled-in feature would be a wrong prediction without a word. Division by head size or
the like is done as it was in training.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainpid.cohort.exclusions import read_exclusions
from brainpid.cohort.participants import read_ids, read_participants
from brainpid.config.schema import Config
from brainpid.config.slices import ParticipantsSettings
from brainpid.config.sources import TableSource
from brainpid.core.codes import warn_of_codes
from brainpid.core.errors import InputError, did_you_mean, list_some
from brainpid.core.files import numeric_cells, read_header, read_table, require_column
from brainpid.features.between_cohorts import same_way
from brainpid.features.block import FeatureBlock
from brainpid.features.excluded import without_excluded
from brainpid.features.store import read_features, read_modalities
from brainpid.features.tables import ID_COLUMN, divisor_of, extract_table, read_units

log = logging.getLogger(__name__)

Names = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class NewPeople:
    """People to predict.

    Attributes
    ----------
    people : DataFrame
        participant_id of n people, and cohort where they come from a configuration.
    tables : dict of str to DataFrame, shape (n, p_m)
        Features by modality in the order of the model; a row of NaN is a missing modality.
    reasons : dict of str to list of str
        Why each person lacks a modality; empty where the person has it.
    sites, sexes : list of str or None
        Site and sex of each person, as a study has them; None or NaN where they are not known.
    """

    people: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    reasons: dict[str, list[str]]
    sites: list[str | None]
    sexes: list[str | None]

    @property
    def present(self) -> pd.DataFrame:
        """Who has which modality, shape (n, M)."""
        return pd.DataFrame({modality: table.notna().any(axis=1) for modality, table in self.tables.items()})


def of_tables(paths: Mapping[str, Path], names: Names, divided: Mapping[str, Mapping[str, Any]]) -> NewPeople:
    """People of plain tables, one a modality, keyed by participant_id: everybody whom any of them has.

    Parameters
    ----------
    paths : mapping of str to Path
        Table of each modality that is at hand.
    names : mapping of str to sequence of str
        Features of every modality of the model.
    divided : mapping of str to mapping
        How the model's features were divided, see `brainpid.features.matrix.read_divisors`.

    Raises
    ------
    InputError
        Where a modality is unknown to the model, or a table lacks features or holds cells that are no numbers.
    """
    if unknown := [modality for modality in paths if modality not in names]:
        raise InputError(f"--tables: the model has no modality '{unknown[0]}'; {did_you_mean(unknown[0], names)}")
    found = {}
    for modality, path in paths.items():
        way = divided.get(modality)
        if way is None:
            found[modality] = _plain_table(path, modality, names[modality])
            continue
        if not way:
            raise InputError(
                f"{modality}: the training cohorts divided its features in different ways; give --config with the way "
                "of these people"
            )
        # The divisor is needed also where it is no feature of the model itself.
        needed = list(dict.fromkeys([*names[modality], way["by"]]))
        table = _divide(_plain_table(path, modality, needed), way, modality)
        found[modality] = table[list(names[modality])]
    _warn_of_labels({modality: list(table.index) for modality, table in found.items()})
    labels = list(dict.fromkeys(label for table in found.values() for label in table.index))
    reasons = {}
    for modality in names:
        own = found.get(modality)
        known = set() if own is None else set(own.index[own.notna().any(axis=1)])
        absent = "no table" if own is None else f"no value in {paths[modality]}"
        reasons[modality] = ["" if label in known else absent for label in labels]
    tables = {
        modality: found[modality].reindex(labels).reset_index(drop=True)
        if modality in found
        else pd.DataFrame(np.nan, index=range(len(labels)), columns=list(features))
        for modality, features in names.items()
    }
    return NewPeople(pd.DataFrame({ID_COLUMN: labels}), tables, reasons, [None] * len(labels), [None] * len(labels))


def _warn_of_labels(labels: Mapping[str, Sequence[str]]) -> None:
    """Warn where tables share nobody, or label what looks like one person in two ways."""
    for first, second in combinations(labels, 2):
        if labels[first] and labels[second] and not set(labels[first]) & set(labels[second]):
            log.warning(
                "the tables of %s (%s) and %s (%s) have no participant_id in common: everybody is predicted from one "
                "of them alone; are labels written alike?", first, list_some(labels[first], 2), second,
                list_some(labels[second], 2),
            )  # fmt: skip
    spellings: dict[str, dict[str, str]] = {}
    for modality, own in labels.items():
        for label in own:
            spellings.setdefault(_bare(label), {}).setdefault(label, modality)
    if twice := [forms for forms in spellings.values() if len(forms) > 1]:
        (one, here), (other, there), *_ = twice[0].items()
        log.warning(
            "%d label(s) are written in several ways and count as several people, such as '%s' of %s and '%s' of %s; "
            "write them alike to predict each person from everything at hand", len(twice), one, here, other, there,
        )  # fmt: skip


def _bare(label: str) -> str:
    """A label without what tables of one study write differently: prefix, case, zeros in front, signs, decimals."""
    parts = re.findall(r"[^\W\d_]+|\d+", re.sub(r"^(sub[-_]?)+|\.0+$", "", label.strip().lower()))
    return "-".join(part.lstrip("0") or "0" for part in parts)


def _plain_table(path: Path, modality: str, features: Sequence[str]) -> pd.DataFrame:
    """Features of a table by label, in the order of the model."""
    require_column(path, read_header(path), ID_COLUMN, "the label of each person")
    table = read_table(path, text=[ID_COLUMN])
    labels = read_ids(table, ID_COLUMN, path).tolist()
    chosen = choose(table.drop(columns=ID_COLUMN), features, modality, path)
    values = numeric_cells(chosen, labels, path)
    warn_of_codes(values, list(features), labels, str(path))
    return pd.DataFrame(values, index=labels, columns=list(features))


def choose(table: pd.DataFrame, features: Sequence[str], modality: str, path: str | Path) -> pd.DataFrame:
    """Columns of the model, found by name; further ones are left out with a line in the log.

    Raises
    ------
    InputError
        Where one is absent; the message names the file and the columns.
    """
    if absent := [name for name in features if name not in table.columns]:
        further = sorted(set(table.columns) - set(features))
        hint = f"; {did_you_mean(absent[0], further)}" if further and len(further) <= 20 else ""
        raise InputError(
            f"{path}: {len(absent)} of the {len(features)} features of {modality} that the model was fitted on are no "
            f"columns: {list_some(absent)}{hint}"
        )
    if further := sorted(set(table.columns) - set(features)):
        log.info(
            "%s: %d columns are no features of the model and are ignored: %s", path, len(further), list_some(further)
        )
    return table[list(features)]


def _divide(table: pd.DataFrame, way: Mapping[str, Any], modality: str) -> pd.DataFrame:
    """Divide features as in training; a person without a positive divisor lacks the modality."""
    divisor = table[way["by"]].where(table[way["by"]] > 0)
    kept = {way["by"], *way["except"]}
    columns = [name for name in table.columns if name not in kept]
    log.info("%s: %d features are divided by %s, as in training", modality, len(columns), way["by"])
    divided = table.copy()
    divided[columns] = table[columns].div(divisor, axis=0)
    return divided.where(divisor.notna())


def of_config(
    config: Config, cohorts: Sequence[str], names: Names, divided: Mapping[str, Mapping[str, Any]], origin: str
) -> NewPeople:
    """People of cohorts of a configuration: tables are read anew, features of images from where a run put them.

    Parameters
    ----------
    config : Config
    cohorts : sequence of str
        Cohorts to predict.
    names, divided
        As for `of_tables`.
    origin : str
        File of the configuration, for messages.

    Raises
    ------
    InputError
        Where a cohort is unknown, images have no features yet, or a source lacks features of the model.
    """
    if len(set(cohorts)) < len(cohorts):
        raise InputError(f"--cohorts: a cohort is given twice in {list_some(cohorts)}")
    if unknown := [cohort for cohort in cohorts if cohort not in config.cohorts]:
        raise InputError(f"{origin}: there is no cohort '{unknown[0]}'; {did_you_mean(unknown[0], config.cohorts)}")
    parts = [_cohort(config, cohort, names, divided, origin) for cohort in cohorts]
    return NewPeople(
        pd.concat([part.people for part in parts], ignore_index=True),
        {modality: pd.concat([part.tables[modality] for part in parts], ignore_index=True) for modality in names},
        {modality: [reason for part in parts for reason in part.reasons[modality]] for modality in names},
        [site for part in parts for site in part.sites],
        [sex for part in parts for sex in part.sexes],
    )


def _cohort(
    config: Config, cohort: str, names: Names, divided: Mapping[str, Mapping[str, Any]], origin: str
) -> NewPeople:
    """People of one cohort, all of its participants table; targets are not looked at."""
    settings = ParticipantsSettings.of(config, cohort)
    sheet = read_participants(cohort, settings, needs_target=False)
    labels, units, sources = sheet[ID_COLUMN].tolist(), read_units(settings.path), config.cohorts[cohort].sources
    if ignored := sorted(set(sources) - set(names)):
        log.info("cohort '%s': the model has no modality %s, ignored", cohort, list_some(ignored))
    listed = config.cohorts[cohort].exclude
    excluded = {} if listed is None else read_exclusions(listed, labels, list(sources))
    tables, reasons = {}, {}
    for modality, features in names.items():
        source = sources.get(modality)
        if source is None:
            tables[modality] = pd.DataFrame(np.nan, index=range(len(labels)), columns=list(features))
            reasons[modality] = [f"cohort '{cohort}' has no source"] * len(labels)
            continue
        if isinstance(source, TableSource):
            path: str | Path = source.path
            block = extract_table(source, sheet, modality, units)
            way = divisor_of(source, block.names, units)
            if not same_way(way, divided.get(modality, {}), features):
                log.warning(
                    "cohort '%s': %s is divided by %s, while in training it was divided by %s", cohort, modality,
                    _words(way), _words(divided.get(modality, {})),
                )  # fmt: skip
        else:
            path = Path(config.output_dir) / "features" / f"{cohort}.h5"
            block = _from_images(path, modality, origin)
        block = without_excluded(block, excluded.get(modality, {}))
        table = pd.DataFrame(np.where(block.present[:, None], block.values, np.nan), columns=list(block.names))
        # Where nobody has a modality of images, it has no features.
        table = choose(table, features, modality, path) if block.names else table.reindex(columns=list(features))
        table = table.set_axis(list(block.participant_id))
        tables[modality] = table.reindex(labels).reset_index(drop=True)
        known = dict(zip(block.participant_id, block.reason, strict=True))
        reasons[modality] = [known.get(label, f"no row in {path}; run the workflow again") for label in labels]
    return NewPeople(
        sheet[["participant_id", "cohort"]], tables, reasons, sheet["site"].tolist(), sheet["sex"].tolist()
    )


def _from_images(path: Path, modality: str, origin: str) -> FeatureBlock:
    """Features that a run of the workflow made of images."""
    if not path.is_file() or modality not in read_modalities(path):
        raise InputError(
            f"{path}: there are no features of {modality} yet; make them with: snakemake --cores 4 "
            f"--configfile {origin} {path}"
        )
    return read_features(path, modality)


def _words(way: Mapping[str, Any]) -> str:
    """How features were divided, in words."""
    if not way:
        return "nothing"
    return way["by"] + (f" (but for {list_some(way['except'], 3)})" if way["except"] else "")
