# REQUIRES     every fold's model and predictions.tsv, participants.tsv, splits.tsv
# PRODUCES     reference/{scores.tsv,ages.json}, where there are reference ages
# CONFIG KEYS  reference_ages, models, modalities, target (units, range)


rule rescore:
    """Read log scores for the reference ages."""
    input:
        participants=rules.split.output.participants,
        splits=rules.split.output.splits,
        folds=[
            path
            for path in FOLD_FILES
            if Path(path).name in ("predictions.tsv", "model.joblib", "model.pt")
        ],
    output:
        scores=f"{OUT}/reference/scores.tsv",
        ages=f"{OUT}/reference/ages.json",
    log:
        f"{OUT}/logs/rescore.log",
    benchmark:
        f"{OUT}/benchmarks/rescore.tsv"
    conda:
        "../../envs/brainpid.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: FITTING_MB * attempt,
    params:
        **given(slices.RescoreSettings.of),
        code=code_digest(
            "brainpid.commands.rescore", *(MODELS[m].module for m in CONFIG.models)
        ),
        content=reference_content(),
        folds=lambda wildcards, input: Path(input.folds[0]).parents[2],
        out=lambda wildcards, output: Path(output.scores).parent,
    shell:
        "OMP_NUM_THREADS={threads} brainpid rescore --participants {input.participants:q} --splits {input.splits:q}"
        " --folds {params.folds:q} --settings {params.settings:q} --threads {threads} --out {params.out:q} 2> {log:q}"
