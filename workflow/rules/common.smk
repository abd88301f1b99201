# REQUIRES     the merged configuration of Snakemake
# PRODUCES     CONFIG, OUT, the lists of files that the target rule names, and small helpers for the rules
# CONFIG KEYS  all; each rule receives its own slice as the parameter `settings`

import hashlib
import json
import os
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from snakemake.logging import logger

from brainpid.core.environment import take_out_shadows

# Other versions of the program's libraries, as modules of a site bring, reach neither the jobs nor what follows here.
for sentence in take_out_shadows(os.environ):
    print(f"warning: {sentence}", file=sys.stderr)

from brainpid.config import slices
from brainpid.config.analysis import ControlQuality, ControlTable
from brainpid.config.harmonisation_slice import HarmonisationSettings
from brainpid.config.leakage_slice import LeakageSettings
from brainpid.config.schema import parse_config
from brainpid.config.yaml_files import read_yaml
from brainpid.core.errors import BrainpidError, InputError, MachineError
from brainpid.core.imports import foreign_code
from brainpid.config.sources import settings_of
from brainpid.features.extractors import atlas_digest, extractor_of
from brainpid.crossfit.encoders import ENCODERS
from brainpid.model.registry import MODELS
from brainpid.core.provenance import code_digest, versions
from brainpid.core.contents import table_digest
from brainpid.cohort.finding import find, root_of, unmatched_labels
from brainpid.cohort.schemes import BY_SITE, divisions, explained
from brainpid.cohort.person_files import IMAGE_ENDINGS
from brainpid.cohort.shards import digests, kept_folder, shard_of


envvars:
    "PATH",


# The verbs are found beside this Python, also where its environment was not activated.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def checked_config():
    """Check the configuration, and that the files it names are there, before any job is planned."""
    files = [str(path) for path in workflow.config_settings.configfiles] or [
        "config/config.yaml"
    ]
    try:
        # What Snakemake merged no longer shows a key that was given twice.
        for file in files if workflow.is_main_process else []:
            read_yaml(file)
        checked = parse_config(config, ", ".join(files))
        for name, cohort in checked.cohorts.items():
            paths = {f"cohorts.{name}.participants": cohort.participants_path}
            paths |= {
                f"cohorts.{name}.sources.{m}.path": source.path
                for m, source in cohort.sources.items()
                if source.kind == "table"
            }
            if cohort.exclude is not None:
                paths[f"cohorts.{name}.exclude"] = cohort.exclude
            for key, path in paths.items():
                if not Path(path).is_file():
                    raise InputError(
                        f"{', '.join(files)}: {key}: the file {path} does not exist"
                    )
            for modality, source in image_sources(cohort).items():
                root_of(source, cohort.bids)
                extractor_of(source, modality)
            if image_sources(cohort):
                labels(
                    cohort.participants_path,
                    cohort.columns.participant_id,
                    checked.visits_of(name),
                )
        own = checked.reference_ages
        if own is not None and own.table is not None and not Path(own.table).is_file():
            raise InputError(
                f"{', '.join(files)}: reference_ages.table: the file {own.table} does not exist"
            )
        if checked.controls and workflow.is_main_process:
            # Not above: it brings pandas.
            from brainpid.cohort.controls import check_columns

            own = slices.AggregateSettings.of(checked)
            check_columns(own.controls, own.people)
        if checked.own_base_learners and workflow.is_main_process:
            # Not above: it brings scikit-learn.
            from brainpid.model.pidreg.own_regressor import names_of

            names_of(checked.own_base_learners)
    except BrainpidError as error:
        stop(error)
    return checked


def stop(error):
    """End the run with one sentence, as the verbs do."""
    print(f"error: {error}", file=sys.stderr)
    sys.exit(error.exit_code)


def image_sources(cohort):
    """The sources of a cohort that are made from images."""
    return {m: source for m, source in cohort.sources.items() if source.kind != "table"}


@cache
def labels(path, column, visits):
    """Labels of a participants table, or of visits; read once, where jobs are planned."""
    if not workflow.is_main_process:
        return []
    # Not above: it brings pandas, which a process that runs one job does without.
    from brainpid.cohort.participants import read_labels

    return read_labels(path, column, visits)


def people_of(cohort):
    """Labels of a cohort's people, or of their visits."""
    block = CONFIG.cohorts[cohort]
    return labels(
        block.participants_path,
        block.columns.participant_id,
        CONFIG.visits_of(cohort),
    )


@cache
def found_in_shards(cohort, modality):
    """Digest of the people and files of every shard of a cohort's modality, and the images of its people.

    Looked up once, where jobs are planned.
    """
    block = CONFIG.cohorts[cohort]
    source = block.sources[modality]
    people = people_of(cohort)
    try:
        found = {
            person: find(source, modality, block.bids, person) for person in people
        }
    except MachineError as error:
        stop(error)
    images = [[] for shard in range(CONFIG.shards)]
    for person, own in found.items():
        if own.files:
            paths = [
                path for path in own.files.values() if path.endswith(IMAGE_ENDINGS)
            ]
            images[shard_of(person, CONFIG.shards)].append(paths)
    root, kept = root_of(source, block.bids), kept_folder(OUT, cohort, modality)
    return digests(found, CONFIG.shards, root, Path(kept)), images


def shard_digests(cohort, modality):
    """Digest of the people and files of every shard of a cohort's modality."""
    return found_in_shards(cohort, modality)[0]


def shard_digest(wildcards):
    """Digest of the people and files of one shard."""
    return shard_digests(wildcards.cohort, wildcards.modality)[int(wildcards.shard)]


@cache
def atlas_content(cohort, modality):
    """Digest of the content of the atlas that a modality of a cohort is cut by; read once, where jobs are planned."""
    if not workflow.is_main_process:
        return ""
    source = CONFIG.cohorts[cohort].sources[modality]
    section = settings_of(source, modality, CONFIG.extraction)
    return atlas_digest(extractor_of(source, modality), section)


@cache
def unmatched_digest(cohort):
    """Digest of the labels of folders that are nobody's; looked up once, where jobs are planned."""
    if not workflow.is_main_process:
        return ""
    block = CONFIG.cohorts[cohort]
    people = people_of(cohort)
    others = {
        modality: unmatched_labels(source, block.bids, people)
        for modality, source in image_sources(block).items()
    }
    return hashlib.sha256(json.dumps(others).encode()).hexdigest()[:12]


def cohort_digests(cohort):
    """Digests of all that a cohort's image sources hold."""
    sources = image_sources(CONFIG.cohorts[cohort])
    shards = [shard_digests(cohort, modality) for modality in sources]
    return [*shards, unmatched_digest(cohort)]


def extractor(wildcards):
    """The extractor of a modality of a cohort."""
    source = CONFIG.cohorts[wildcards.cohort].sources[wildcards.modality]
    return extractor_of(source, wildcards.modality)


def parts_of(cohort):
    """Files that the features of a cohort are collected from."""
    folder = f"{OUT}/features/parts/{cohort}"
    sources = CONFIG.cohorts[cohort].sources
    return [
        f"{folder}/{part}.h5"
        for modality in sources
        for part in (
            [f"{modality}.table"]
            if sources[modality].kind == "table"
            else [f"{modality}_{shard}" for shard in range(CONFIG.shards)]
        )
    ]


def quality_parts(modality):
    """Quality measures of a modality, of every shard of every cohort that has its images."""
    return [
        f"{OUT}/quality/parts/{cohort}/{modality}_{shard}.tsv"
        for cohort, block in CONFIG.cohorts.items()
        if modality in image_sources(block)
        for shard in range(CONFIG.shards)
    ]


class Unrecorded(str):
    """A param that the command needs and no result depends on, such as a path or a label: it is no reason to rerun."""


def unrecorded(text):
    """A text for the command, given by the wildcards, that is no reason to rerun."""
    return lambda wildcards: Unrecorded(text(wildcards))


def given(slice_of, *names, labels=None):
    """Params of a verb's slice of the configuration: the settings for its command, and what of them reruns it.

    The values on which results depend do: all but paths, for which the content of what lies there stands, and labels.
    The slice is `slice_of(CONFIG, ...)` of the values of the wildcards `names`.
    """

    @cache
    def texts(*chosen):
        own = slice_of(CONFIG, *chosen)
        recorded = json.dumps(own.recorded(labels), sort_keys=True)
        return Unrecorded(own.model_dump_json()), recorded

    return {
        "settings": lambda wildcards: texts(*(wildcards[name] for name in names))[0],
        "values": lambda wildcards: texts(*(wildcards[name] for name in names))[1],
    }


@cache
def participants_content(cohort):
    """Digest of the used columns of a participants table; read once, where jobs are planned."""
    if not workflow.is_main_process:
        return ""
    block = CONFIG.cohorts[cohort]
    own = [block.columns.target or CONFIG.target.column, *CONFIG.used_columns(cohort)]
    own += [block.columns.participant_id, block.columns.sex, block.columns.site]
    described = CONFIG.used_columns(cohort)
    if (visits := CONFIG.visits_of(cohort)) is None:
        return table_digest(
            block.participants_path, lambda names: own, lambda names: described
        )
    # Not above: it brings pandas.
    from brainpid.cohort.visits import visits_digest

    own.append(visits.session)
    told = table_digest(
        block.participants_path, lambda names: own, lambda names: described
    )
    return f"{told}+{visits_digest(visits)}"


@cache
def exclusions_content(cohort):
    """Digest of a cohort's list of exclusions, where there is one; read once, where jobs are planned."""
    path = CONFIG.cohorts[cohort].exclude
    if path is None or not workflow.is_main_process:
        return ""
    return table_digest(path, lambda names: names, lambda names: [])


@cache
def families_content():
    """Digests of the columns of participants tables that name relatives; read once, where jobs are planned."""
    if not workflow.is_main_process:
        return ""
    # Not above: it brings pandas.
    from brainpid.cohort.families import family_columns

    def digest(block):
        own = block.columns.participant_id
        return table_digest(
            block.participants_path,
            lambda names: [
                name
                for columns in [family_columns(names, own)]
                for name in [own, *columns]
                if columns
            ],
            lambda names: [],
        )

    return [digest(block) for block in CONFIG.cohorts.values()]


@cache
def source_content(cohort, modality):
    """Digest of the features in a table; read once, where jobs are planned."""
    if not workflow.is_main_process:
        return ""
    source = CONFIG.cohorts[cohort].sources[modality]

    def used(names):
        features = [name for name in names if name != "participant_id"]
        return ["participant_id", *source.kept(features)]

    return table_digest(source.path, used, used)


def reference_content():
    """Digest of the targets in the table of reference ages, where they are in a table."""
    own = CONFIG.reference_ages
    if own is None or own.table is None or not workflow.is_main_process:
        return ""
    return table_digest(own.table, lambda names: [own.column], lambda names: [])


@cache
def control_contents():
    """Digests of the controls in tables of the user's; read once, where jobs are planned."""
    if not workflow.is_main_process:
        return []
    from brainpid.cohort.controls import read_by

    own = slices.AggregateSettings.of(CONFIG)
    tables = [one for one in own.controls if isinstance(one, ControlTable)]
    files = [(table.table, read_by(own.controls, table)) for table in tables]
    files += [
        (table.path, read_by(own.controls, table)) for table in own.people.values()
    ]
    return [control_content(path, tuple(used)) for path, used in files]


@cache
def group_contents():
    """Digests of the columns that groups alone are compared by; read once, where jobs are planned."""
    if not workflow.is_main_process:
        return []
    own = slices.GroupsSettings.of(CONFIG)
    return [
        control_content(table.path, (table.participant_id, *own.alone))
        for table in own.people.values()
    ]


def control_content(path, used):
    """Digest of some columns of a table."""
    return table_digest(path, lambda names: used, lambda names: [])


@cache
def own_code(model):
    """Packages and digests of the base learners of a model that are the user's own; none of most."""
    return foreign_code(getattr(CONFIG.hyperparameters, model).foreign_classes)


def packages_of(model):
    """Libraries whose versions matter to the results of a model."""
    return (*MODELS[model].packages, *own_code(model).packages)


def with_own_code(digest, model):
    """Digest of the program's code, and those of the modules beside it that a model is made of."""
    return "+".join([digest, *own_code(model).digests.values()])


class Training(NamedTuple):
    """Name of a rule that trains, its files by name, the end of the names of its log and benchmark, and its folds."""

    name: str
    output: dict
    log: str
    folds: int

    def runtime(self, wildcards, attempt):
        """Minutes that its job is given."""
        return 120 * self.folds * attempt


def fold_outputs(model_file, folds):
    """Files of some folds, by name, of the models that are saved in `model_file`; a text where there is one fold."""
    models = "|".join(name for name in MODELS if MODELS[name].file == model_file)
    files = {"model": model_file} | {Path(file).stem: file for file in FOLD_RESULTS}
    found = {
        name: [f"{OUT}/folds/{{model,{models}}}/{fold}/{file}" for fold in folds]
        for name, file in files.items()
    }
    return {name: own[0] if len(own) == 1 else own for name, own in found.items()}


def repeats_of_equal_folds():
    """Repeats by the folds that are trained in them."""
    folds, repeats = {}, {}
    for repeat, fold in PLACES:
        folds.setdefault(repeat, []).append(fold)
    for repeat, own in folds.items():
        repeats.setdefault(tuple(own), []).append(repeat)
    return repeats


def found_divisions():
    """Folds of every scheme; where sites are left out, these are read from the participants tables."""
    sites = {cohort: [] for cohort in CONFIG.cohorts}
    try:
        if BY_SITE in CONFIG.splits.schemes:
            # Not above: it brings pandas, which most processes that run one job do without.
            from brainpid.cohort.participants import read_sites

            for name, block in CONFIG.cohorts.items():
                visits = CONFIG.visits_of(name)
                label = block.columns.participant_id
                sites[name] = read_sites(
                    block.participants_path,
                    block.columns.site,
                    name,
                    None if visits is None else (label, visits),
                )
        return divisions(CONFIG.splits, sites)
    except BrainpidError as error:
        stop(error)


def trainings():
    """Rules that train: one of each kind of model, or one of each group of folds that are trained in one job."""
    per_job = CONFIG.folds_per_job
    for name, file in (
        ("train_baseline", "model.joblib"),
        ("train_pidreg", "model.pt"),
    ):
        if per_job == 1:
            yield Training(name, fold_outputs(file, [FOLD]), f"{{model}}_{FOLD}", 1)
            continue
        alike = repeats_of_equal_folds()
        for own, repeats in alike.items():
            # Where schemes differ in their folds, a rule makes those of its own repeats alone.
            only = ",".join(["repeat", "|".join(map(str, repeats))])
            of = FOLD if len(alike) == 1 else FOLD.replace("repeat}", f"{only}}}")
            end = "" if len(alike) == 1 else f"_repeat_{repeats[0]}"
            for first in range(0, len(own), per_job):
                folds = own[first : first + per_job]
                yield Training(
                    f"{name}{end}_{folds[0]}_to_{folds[-1]}",
                    fold_outputs(file, [of.replace("{fold}", str(k)) for k in folds]),
                    f"{{model}}_repeat-{{repeat}}_folds-{folds[0]}-{folds[-1]}",
                    len(folds),
                )


def trained_folds(predictions):
    """Options of `train` that name the folds and folders of some predictions.tsv."""
    paths = [predictions] if isinstance(predictions, str) else predictions
    folders = [str(Path(path).parent) for path in paths]
    folds = [folder.rpartition("-")[2] for folder in folders]
    return Unrecorded(shlex.join(["--fold", *folds, "--out", *folders]))


CONFIG = checked_config()
OUT = CONFIG.output_dir
COHORTS = list(CONFIG.cohorts)
DIVISIONS = found_divisions()
LEAVES_SITES_OUT = any(division.scheme != "kfold" for division in DIVISIONS)
PLACES = [place for division in DIVISIONS for place in division.places]
FOLD = "repeat-{repeat}_fold-{fold}"
COHORT_FILES = [
    *expand(
        f"{OUT}/participants/{{cohort}}.{{ending}}",
        cohort=COHORTS,
        ending=["tsv", "json"],
    ),
    *(path for cohort in COHORTS for path in parts_of(cohort)),
    *(
        f"{OUT}/index/{cohort}.tsv"
        for cohort, block in CONFIG.cohorts.items()
        if image_sources(block)
    ),
    *expand(f"{OUT}/features/{{cohort}}.h5", cohort=COHORTS),
]
FOLD_RESULTS = ["predictions.tsv", "pid.tsv", "history.tsv", "provenance.json"]
# Of people who are predicted and never trained on.
FOLD_RESULTS += ["others.tsv"] if CONFIG.train_on else []
# What is to be taken from the features of people whom the model predicts lies beside it.
HARMONISED = ["harmonisation.npz"] if CONFIG.harmonise.used else []
FOLD_RESULTS += HARMONISED
FOLD_FILES = [
    f"{OUT}/folds/{model}/repeat-{repeat}_fold-{fold}/{file}"
    for model in CONFIG.models
    for repeat, fold in PLACES
    for file in [MODELS[model].file, *FOLD_RESULTS]
]


EXPLAINED = [
    f"{OUT}/folds/{CONFIG.models[0]}/repeat-{repeat}_fold-{fold}/importance.tsv"
    for repeat, fold in explained(DIVISIONS, CONFIG.explain)
]
FINAL_MODEL = f"{OUT}/final/{CONFIG.models[0]}/{MODELS[CONFIG.models[0]].file}"
IMAGE_MODALITIES = slices.ReportSettings.of(CONFIG).image_modalities
HAS_ATLASES = bool(slices.ReportSettings.of(CONFIG).atlases)
QUALITY_FILES = expand(f"{OUT}/quality/{{modality}}.tsv", modality=IMAGE_MODALITIES)
QUALITY_PARTS = [
    part for modality in IMAGE_MODALITIES for part in quality_parts(modality)
]
CONTROL_QUALITY = [
    f"{OUT}/quality/{one.quality}.tsv"
    for one in CONFIG.controls
    if isinstance(one, ControlQuality)
]
NULL_FILES = expand(f"{OUT}/null/{{cohort}}.tsv", cohort=COHORTS)
NULL_PROVENANCE = [path.removesuffix("tsv") + "json" for path in NULL_FILES]


wildcard_constraints:
    cohort="|".join(COHORTS),
    modality="|".join(CONFIG.modalities),
    model="|".join(MODELS),
    repeat=r"\d+",
    fold=r"\d+",
    shard=r"\d+",
