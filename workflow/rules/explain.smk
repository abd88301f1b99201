# REQUIRES     the first model's folds, participants.tsv, features.tsv, splits.tsv and features/<cohort>.h5 of every cohort
# PRODUCES     folds/<model>/repeat-<r>_fold-<k>/importance.tsv of the first model
# CONFIG KEYS  explain, models, modalities, splits.seed


rule explain:
    """Ask what one fold's model rests on."""
    input:
        model=f"{OUT}/folds/{CONFIG.models[0]}/{FOLD}/{MODELS[CONFIG.models[0]].file}",
        participants=rules.split.output.participants,
        splits=rules.split.output.splits,
        features=rules.split.input.features,
        chosen=rules.split.output.chosen,
    output:
        f"{OUT}/folds/{CONFIG.models[0]}/{FOLD}/importance.tsv",
    log:
        f"{OUT}/logs/explain/{FOLD}.log",
    benchmark:
        f"{OUT}/benchmarks/explain/{FOLD}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: FITTING_MB * attempt,
    params:
        **given(slices.ExplainSettings.of),
        code=code_digest("brainpid.commands.explain", MODELS[CONFIG.models[0]].module),
        versions=versions(MODELS[CONFIG.models[0]].packages),
        model=CONFIG.models[0],
    shell:
        'OMP_NUM_THREADS={threads} brainpid explain --model {params.model:q} --folder "$(dirname {input.model:q})"'
        " --repeat {wildcards.repeat} --fold {wildcards.fold} --participants {input.participants:q}"
        " --splits {input.splits:q}"
        " --features {input.features:q} --chosen {input.chosen:q} --settings {params.settings:q} --threads {threads}"
        " --out {output:q} 2> {log:q}"
