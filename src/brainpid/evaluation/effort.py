"""What a run will take: its jobs step by step, hours of one core, memory and disk. Estimates, within about a factor 2.

Times are those of one core of a machine of 2024, fitted to runs of the demonstration and of tables of 100 to 10,000
people (`benchmarks/RESULTS.md`), or, where the study has finished jobs of a step, the mean of their benchmark files.
What `pidreg` takes is that without trees, which a pilot adds where they are worth it, at up to ten times the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np

from brainpid.cohort.schemes import Division, explained, folds_of_repeats
from brainpid.config.schema import Config
from brainpid.core.errors import InputError
from brainpid.core.files import read_own_tsv
from brainpid.core.memory import FITTING_MB, OTHER_JOBS_MB
from brainpid.features.duration import START_S, ImageWork

JOB_S = 0.7
"""Of a job that does hardly anything, and of what Snakemake does for it."""
WORKFLOW_S = 4.0
"""Of Snakemake before the first job."""
IMPORTS_S = {"pidreg": 2.5}
"""Of a training, before anything is fitted; of the other models `OTHER_IMPORTS_S`."""
OTHER_IMPORTS_S = 1.3
CELL_S = 4e-7
"""Of a cell of a table that is read."""
FIT_MB_OF_CELL = 7e-5
"""Of a cell of the tables that a model is fitted to, in MB."""
ROW_BYTES = 10
"""Of a number in a table of results."""
FEATURE_BYTES = 180
"""Of a feature of a person who was extracted from images, in the kept result, two files of features and their names."""
PICTURE_BYTES = 12_000
RECORD_BYTES = 15_000
"""Of a job: log, benchmark, record of Snakemake, on blocks of a disk."""
REPORT_BYTES = 3e6
MISSED = 1.5
"""Time by the clock of a job that has a core for itself, over the time of the processor that Snakemake sees."""
OTHER_ENCODERS_S = {"pls": 0.01, "pidreg": 2.0}
"""Of one fit of an encoder of the null that is not fitted to all draws at once."""


@dataclass(frozen=True)
class Work:
    """One step of a run.

    Attributes
    ----------
    step : str
        Name of the step; of a training and an extraction with the model or modality.
    jobs : int
    seconds : float
        Of one core, of all jobs together.
    mb : int
        Memory that the largest of its jobs asks for, or takes where that is more.
    bytes : float
        Of the files that it leaves.
    measured : int
        Finished jobs of this study that the seconds are the mean of; 0 where they are an estimate.
    """

    step: str
    jobs: int
    seconds: float
    mb: int = OTHER_JOBS_MB
    bytes: float = 0.0
    measured: int = 0


@dataclass(frozen=True)
class Study:
    """Sizes on which the work depends.

    Attributes
    ----------
    complete : dict of str to int
        People with every modality who take part, by cohort.
    people : dict of str to int
        People who take part, by cohort.
    widths : dict of (str, str) to int
        Features of the table of a cohort's modality.
    images : dict of (str, str) to ImageWork
        Of a cohort's modality.
    divisions : sequence of Division
        Folds of every scheme.
    """

    complete: Mapping[str, int]
    people: Mapping[str, int]
    widths: Mapping[tuple[str, str], int]
    images: Mapping[tuple[str, str], ImageWork]
    divisions: Sequence[Division]

    @property
    def trainings(self) -> int:
        """Trainings of one model."""
        return sum(len(division.places) for division in self.divisions)

    @property
    def predictions(self) -> int:
        """Out-of-fold predictions of one model."""
        return self.n * sum(division.repeats for division in self.divisions)

    @property
    def n(self) -> int:
        """People who take part."""
        return sum(self.people.values())

    def features(self, modality: str) -> int:
        """Features of a modality: those that a table has, else about those that come out of images."""
        of_images = {key: work.features for key, work in self.images.items()}
        return max([p for (_, m), p in {**self.widths, **of_images}.items() if m == modality], default=0)


def work_of(config: Config, study: Study) -> list[Work]:
    """Estimate all steps of a run from its beginning, in their order.

    Parameters
    ----------
    config : Config
    study : Study
    """
    tables = len(study.widths)
    cohorts = len(config.cohorts)
    of_images = {cohort for cohort, _ in study.images}
    modalities = {modality for _, modality in study.images}
    cells = sum(study.people[cohort] * p for (cohort, _), p in study.widths.items())
    total = sum(study.features(m) for m in config.modalities)
    read = 2 * CELL_S * study.n * total
    steps = [
        Work("participants", cohorts, cohorts * JOB_S),
        Work("tables", tables, tables * JOB_S + CELL_S * cells, bytes=8.0 * cells),
        Work("index", len(of_images), len(of_images) * JOB_S),
        *(_extraction(config, study, modality) for modality in config.modalities if modality in modalities),
        Work("quality", len(modalities), len(modalities) * JOB_S),
        Work("collect", cohorts, cohorts * JOB_S + read, bytes=8.0 * study.n * total),
        Work("split", 1, JOB_S + 1e-5 * study.n * study.trainings),
        Work("leakage", 1, JOB_S + read + 5e-5 * study.n * len(config.modalities), FITTING_MB),
        *(_training(config, study, model) for model in config.models),
    ]
    if config.final_model:
        one = _fit_s(config, study, config.models[0], study.n)
        model = config.models[0]
        seconds = IMPORTS_S.get(model, OTHER_IMPORTS_S) + one
        mb = _fit_mb(config, study, study.n)
        steps.append(Work("train_final", 1, seconds, mb, _model_bytes(config, study, model, study.n)))
    if config.harmonise.used:
        folds = sum(len(division.names) for division in study.divisions)
        both_ways = 2 * folds * _fit_s(config, study, "ridge", study.n)
        steps.append(Work("harmonisation", 1, OTHER_IMPORTS_S + both_ways, FITTING_MB))
    steps += [_explanation(config, study, total), _null(config, study, total)]
    rows = study.predictions * len(config.models)
    if config.reference_ages:
        fits = len(config.models) * sum(len(division.places) for division in study.divisions)
        start = max(IMPORTS_S.get(model, OTHER_IMPORTS_S) for model in config.models)
        steps.append(Work("rescore", 1, start + 0.3 * fits, FITTING_MB, rows * _columns(config) * ROW_BYTES / 2))
    steps += [
        Work("aggregate", 1, 1.5 + 2e-4 * rows, bytes=2 * rows * _columns(config) * ROW_BYTES),
        Work("groups", 1 if config.compared else 0, JOB_S + 1e-3 * study.n * len(config.models)),
        Work("report", 1, 2.0 + 2e-5 * rows, bytes=REPORT_BYTES),
    ]
    return [replace(one, bytes=one.bytes + RECORD_BYTES * one.jobs) for one in steps if one.jobs]


def _columns(config: Config) -> int:
    """Columns of a table of predictions: of the person, latents, and two of every subset of the modalities."""
    m = len(config.modalities)
    return 16 + m + 2 * (2**m - 1)


def _extraction(config: Config, study: Study, modality: str) -> Work:
    """Extraction of one modality's images of all cohorts."""
    own = [work for (_, m), work in study.images.items() if m == modality]
    people, jobs = sum(work.people for work in own), config.shards * len(own)
    seconds = START_S * jobs + sum(work.people * work.seconds for work in own)
    size = people * (FEATURE_BYTES * study.features(modality) + PICTURE_BYTES)
    return Work(f"extract {modality}", jobs, seconds, max(work.mb for work in own), size)


def _training(config: Config, study: Study, model: str) -> Work:
    """All folds of one model."""
    jobs = sum(ceil(own / config.folds_per_job) for own in folds_of_repeats(study.divisions).values())
    folds = min(len(division.names) for division in study.divisions)
    n = study.n * (folds - 1) // folds
    seconds = IMPORTS_S.get(model, OTHER_IMPORTS_S) * jobs + study.trainings * _fit_s(config, study, model, n)
    predictions = study.predictions * _columns(config) * ROW_BYTES
    size = study.trainings * _model_bytes(config, study, model, n) + predictions
    return Work(f"train {model}", jobs, seconds, _fit_mb(config, study, n), size)


def _fit_mb(config: Config, study: Study, n: int) -> int:
    """Memory of a fit to n people: what its job asks for, or more where the tables are larger than that allows."""
    p = sum(study.features(m) for m in config.modalities)
    return max(FITTING_MB, round(500 + FIT_MB_OF_CELL * n * p))


def _fit_s(config: Config, study: Study, model: str, n: int) -> float:
    """Seconds of one fit to n people, and of reading their features; cost grows with subsets of the modalities."""
    p = sum(study.features(m) for m in config.modalities)
    subsets = (2 ** len(config.modalities) - 1) / 3
    few = min(n, 1500)
    by_model = {
        "pidreg": 1.5 + 3e-6 * n * p,
        "ridge": 0.1 + 7e-7 * n * p,
        "elastic_net": 0.1 + 1e-6 * n * p,
        "svr": 0.1 + 1.8e-6 * n**2,
        "gpr": 0.3 + 4.5e-3 * n,
        "gradient_boosting": 0.1 + 3e-5 * few * p,
        "random_forest": 0.5 + 8e-3 * n * np.sqrt(p / 100),
        "stacking": 0.5 + 0.02 * n,
        "mlp": 1.0 + 8e-3 * n,
        "mean": 0.02,
    }
    scale = config.hyperparameters.pidreg.members / 10 if model == "pidreg" else subsets
    return float(by_model[model] * scale + CELL_S * n * p)


def _model_bytes(config: Config, study: Study, model: str, n: int) -> float:
    """Bytes of the file of a model; kernels keep their training people, networks grow with the features."""
    p = sum(study.features(m) for m in config.modalities)
    by_model = {
        "pidreg": 5e5 + 1e4 * p + 12 * n * p,
        "gpr": 1e4 * n + 8 * n * p,
        "svr": 8 * n * p,
        "random_forest": 5e3 * n,
        "stacking": 1.4e4 * n,
        "gradient_boosting": 2e5,
        "mlp": 1.6e6 + 3e3 * p,
    }
    return float(by_model.get(model, 100 * n + 60 * p))


def _explanation(config: Config, study: Study, p: int) -> Work:
    """Importances of the first model."""
    if not config.explain.permutations:
        return Work("explain", 0, 0.0)
    jobs = len(explained(study.divisions, config.explain))
    one = 0.5 + 1e-3 * p + 0.3 * len(config.modalities)
    start = IMPORTS_S.get(config.models[0], OTHER_IMPORTS_S)
    return Work("explain", jobs, jobs * (start + one), FITTING_MB, jobs * 150.0 * p)


def _null(config: Config, study: Study, p: int) -> Work:
    """Permutations within every cohort."""
    seconds, m = 0.0, len(config.modalities)
    for n in study.complete.values():
        draws = config.null.permutations / 1000 * min(1.0, n / 50) * (1 + n / 1500) * m
        seconds += JOB_S + 1.0 * draws + 0.3
        if config.null.encoder in OTHER_ENCODERS_S:
            fits = config.null.permutations * config.null.folds * (1 + m)
            seconds += fits * OTHER_ENCODERS_S[config.null.encoder]
    jobs = len(config.cohorts)
    return Work("null", jobs, seconds, FITTING_MB, jobs * 60.0 * config.null.permutations)


def with_own_benchmarks(steps: list[Work], output_dir: Path) -> list[Work]:
    """Take the seconds of steps from the benchmark files of jobs of this study, where there are some.

    Raises
    ------
    InputError
        Where a benchmark file is none of Snakemake's.
    """
    return [_measured(one, Path(output_dir) / "benchmarks") for one in steps]


def _measured(one: Work, folder: Path) -> Work:
    """One step with the mean of its jobs that are finished."""
    kind, _, of = one.step.partition(" ")
    patterns = {
        "extract": f"extract/*_{of}_*.tsv",
        "tables": "extract/*.table.tsv",
        "train": f"train/{of}_repeat-*.tsv",
    }
    found = sorted(folder.glob(patterns.get(kind, f"{kind}/*.tsv"))) or sorted(folder.glob(f"{kind}.tsv"))
    if not found:
        return one
    return replace(one, seconds=float(np.mean([_seconds(path) for path in found])) * one.jobs, measured=len(found))


def _seconds(path: Path) -> float:
    """Seconds of one job: by the clock, but on a busy machine no more than what its time of the processor explains."""
    table = read_own_tsv(path, numbers=["s", "cpu_time"])
    if not {"s", "cpu_time"} <= set(table):
        raise InputError(f"{path}: expected a benchmark file of Snakemake with s and cpu_time, found {list(table)}")
    clock, processor = (float(table[column].mean()) for column in ("s", "cpu_time"))
    # The time of the processor is looked at now and then, so that some of it is missed.
    return clock if np.isnan(processor) else min(clock, MISSED * processor + JOB_S)
