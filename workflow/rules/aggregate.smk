# REQUIRES     splits.tsv and every fold's predictions.tsv
# PRODUCES     aggregate/accuracy.tsv, aggregate/predictions.tsv, aggregate/pid.tsv
# CONFIG KEYS  cohorts (their names), modalities, models, splits.scheme, pid


rule aggregate:
    """Join all folds."""
    input:
        splits=rules.split.output.splits,
        folds=[path for path in FOLD_FILES if path.endswith("predictions.tsv")],
    output:
        accuracy=f"{OUT}/aggregate/accuracy.tsv",
        predictions=f"{OUT}/aggregate/predictions.tsv",
        pid=f"{OUT}/aggregate/pid.tsv",
    log:
        f"{OUT}/logs/aggregate.log",
    benchmark:
        f"{OUT}/benchmarks/aggregate.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        code=code_digest("brainpid.stages.aggregate"),
        settings=as_json(settings.AggregateSettings.of(CONFIG)),
        folds=lambda wildcards, input: Path(input.folds[0]).parents[2],
        out=lambda wildcards, output: Path(output.accuracy).parent,
    shell:
        "brainpid aggregate --splits {input.splits} --folds {params.folds} --settings {params.settings:q}"
        " --out {params.out} 2> {log}"
