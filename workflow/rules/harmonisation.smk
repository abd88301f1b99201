# REQUIRES     participants.tsv, features.tsv, splits.tsv and features/<cohort>.h5 of every cohort; with splits.group its
#              sheets too
# PRODUCES     aggregate/harmonisation.tsv: what harmonisation costs or brings, where there is any
# CONFIG KEYS  harmonise, modalities, cohorts (their names), splits.scheme, splits.seed, splits.group,
#              hyperparameters.ridge, pid.confidence


rule harmonisation:
    """Fit the cheap model in the same folds with and without harmonisation."""
    input:
        participants=rules.split.output.participants,
        splits=rules.split.output.splits,
        features=rules.split.input.features,
        chosen=rules.split.output.chosen,
        sheets=SHEETS,
    output:
        f"{OUT}/aggregate/harmonisation.tsv",
    log:
        f"{OUT}/logs/harmonisation.log",
    benchmark:
        f"{OUT}/benchmarks/harmonisation.tsv"
    conda:
        "../../envs/brainpid.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: FITTING_MB * attempt,
    params:
        **given(HarmonisationSettings.of),
        code=code_digest("brainpid.commands.harmonisation", MODELS["ridge"].module),
        versions=versions(MODELS["ridge"].packages),
    shell:
        "OMP_NUM_THREADS={threads} brainpid harmonisation --participants {input.participants:q}"
        " --splits {input.splits:q} --features {input.features:q} --chosen {input.chosen:q} --sheets {input.sheets:q}"
        " --settings {params.settings:q} --threads {threads} --out {output:q} 2> {log:q}"
