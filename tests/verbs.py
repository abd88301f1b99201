"""The verbs of the workflow in one process, as the rules call them one after the other, for tests of results."""

from __future__ import annotations

from pathlib import Path

from brainpid.cli import main
from brainpid.config import slices
from brainpid.config.leakage_slice import LeakageSettings
from brainpid.config.schema import Config, load_config
from brainpid.config.section import Section
from brainpid.core.files import read_own_tsv


def run_verb(verb: str, settings: Section | None, *options: object) -> None:
    """Run one verb with its slice of the configuration, and expect it to succeed."""
    given = [] if settings is None else ["--settings", settings.model_dump_json()]
    assert main([verb, *given, *map(str, options)]) == 0


def run_tables(path: Path) -> Path:
    """Run a configuration whose sources are tables from participants to aggregate, and give its output folder.

    What a whole workflow run computes, without its processes; the report is left out.
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
        "--limits", slices.LimitSettings.of(config).model_dump_json(),
        "--out-participants", people, "--out-splits", splits, "--out-features", chosen,
    )  # fmt: skip
    grouped = ["--sheets", *(sheets if config.splits.group else [])]
    people_and_features = ["--participants", people, "--features", *features, "--chosen", chosen]
    importances = []
    for model in config.models:
        training = [
            slices.TrainSettings.of(config, model), "--model", model, *people_and_features, *grouped,
        ]  # fmt: skip
        for repeat, fold in read_own_tsv(splits)[["repeat", "fold"]].drop_duplicates().itertuples(index=False):
            folder = out / f"folds/{model}/repeat-{repeat}_fold-{fold}"
            place = ["--repeat", repeat, "--fold", fold, "--splits", splits]
            run_verb("train", *training, *place, "--out", folder)
            if model == config.models[0] and repeat < config.explain.repeats and config.explain.permutations:
                importances.append(folder / "importance.tsv")
                run_verb(
                    "explain", slices.ExplainSettings.of(config), "--model", model, "--folder", folder, *place,
                    *people_and_features, "--out", importances[-1],
                )  # fmt: skip
        if model == config.models[0] and config.final_model:
            run_verb("final", *training, "--out", out / f"final/{model}")
    run_verb(
        "leakage", LeakageSettings.of(config), *people_and_features, "--splits", splits, *grouped,
        "--persons", out / "features/persons", "--out", out / "aggregate/leakage.tsv",
    )  # fmt: skip
    nulls = [out / f"null/{cohort}.tsv" for cohort in config.cohorts]
    for cohort, merged, null in zip(config.cohorts, features, nulls, strict=True):
        run_verb(
            "null", slices.NullSettings.of(config), "--cohort", cohort, "--participants", people,
            "--features", merged, "--chosen", chosen, *grouped, "--out", null,
        )  # fmt: skip
    reference: list[object] = []
    if config.reference_ages:
        reference = ["--reference", out / "reference/scores.tsv", out / "reference/ages.json"]
        run_verb(
            "rescore", slices.RescoreSettings.of(config), "--participants", people, "--splits", splits,
            "--folds", out / "folds", "--out", out / "reference",
        )  # fmt: skip
    run_verb(
        "aggregate", slices.AggregateSettings.of(config), "--splits", splits, "--folds", out / "folds",
        "--chosen", chosen, "--nulls", *nulls, "--importances", *importances, *grouped, *reference,
        "--out", out / "aggregate",
    )  # fmt: skip
    return out


def _extract(config: Config, cohort: str, sheet: Path, merged: Path) -> None:
    """Check one cohort's people and read their tables into one file of features."""
    run_verb(
        "participants", slices.ParticipantsSettings.of(config, cohort), "--cohort", cohort,
        "--keep", *config.used_columns(cohort), "--out", sheet,
    )  # fmt: skip
    parts = []
    for modality in config.cohorts[cohort].sources:
        parts.append(merged.parent / f"parts/{cohort}/{modality}.table.h5")
        run_verb(
            "extract", slices.ExtractSettings.of(config, cohort, modality), "--cohort", cohort, "--modality", modality,
            "--participants", sheet, "--out", parts[-1],
        )  # fmt: skip
    exclude = config.cohorts[cohort].exclude
    listed = [] if exclude is None else ["--exclude", exclude]
    run_verb("collect", None, "--cohort", cohort, "--participants", sheet, "--parts", *parts, *listed, "--out", merged)
