"""The verbs of the workflow in this process, one after the other as the rules call them, for tests of their results."""

from __future__ import annotations

from pathlib import Path

from brainpid.cli import main
from brainpid.config import slices
from brainpid.config.schema import Config, load_config
from brainpid.config.section import Section


def run_verb(verb: str, settings: Section | None, *options: object) -> None:
    """Run one verb with its slice of the configuration, and expect it to succeed."""
    given = [] if settings is None else ["--settings", settings.model_dump_json()]
    assert main([verb, *given, *map(str, options)]) == 0


def run_tables(path: Path) -> Path:
    """Run a configuration whose sources are tables from participants to aggregate, and give its output folder.

    What a whole workflow run computes, without its processes; importance, final model and report are left out.
    """
    config = load_config(path)
    out = Path(config.output_dir)
    sheets = [out / f"participants/{cohort}.tsv" for cohort in config.cohorts]
    features = [out / f"features/{cohort}.h5" for cohort in config.cohorts]
    for cohort, sheet, merged in zip(config.cohorts, sheets, features, strict=True):
        _extract(config, cohort, sheet, merged)
    people, splits, chosen = out / "participants.tsv", out / "splits.tsv", out / "features.tsv"
    run_verb(
        "split", slices.SplitSettings.of(config), "--participants", *sheets, "--features", *features,
        "--out-participants", people, "--out-splits", splits, "--out-features", chosen,
    )  # fmt: skip
    for model in config.models:
        for repeat in range(config.splits.repeats):
            for fold in range(config.n_folds):
                run_verb(
                    "train", slices.TrainSettings.of(config, model), "--model", model,
                    "--repeat", repeat, "--fold", fold, "--participants", people, "--splits", splits,
                    "--features", *features, "--chosen", chosen,
                    "--sheets", *(sheets if config.splits.group else []),
                    "--out", out / f"folds/{model}/repeat-{repeat}_fold-{fold}",
                )  # fmt: skip
    nulls = [out / f"null/{cohort}.tsv" for cohort in config.cohorts]
    for cohort, merged, null in zip(config.cohorts, features, nulls, strict=True):
        run_verb(
            "null", slices.NullSettings.of(config), "--cohort", cohort, "--participants", people,
            "--features", merged, "--chosen", chosen, "--out", null,
        )  # fmt: skip
    run_verb(
        "aggregate", slices.AggregateSettings.of(config), "--splits", splits, "--folds", out / "folds",
        "--nulls", *nulls, "--importances", "--out", out / "aggregate",
    )  # fmt: skip
    return out


def _extract(config: Config, cohort: str, sheet: Path, merged: Path) -> None:
    """Check one cohort's people and read their tables into one file of features."""
    run_verb("participants", slices.ParticipantsSettings.of(config, cohort), "--cohort", cohort, "--out", sheet)
    parts = []
    for modality in config.cohorts[cohort].sources:
        parts.append(merged.parent / f"parts/{cohort}/{modality}.h5")
        run_verb(
            "extract", slices.ExtractSettings.of(config, cohort, modality), "--cohort", cohort, "--modality", modality,
            "--participants", sheet, "--out", parts[-1],
        )  # fmt: skip
    run_verb("collect", None, "--cohort", cohort, "--participants", sheet, "--parts", *parts, "--out", merged)
