# REQUIRES     participants.tsv, features.tsv, splits.tsv and features/<cohort>.h5 of every cohort; with splits.group its
#              sheets too
# PRODUCES     folds/<model>/repeat-<r>_fold-<k>/: the model, predictions.tsv, pid.tsv, history.tsv, provenance.json;
#              final/<model>/: the first model trained on everybody, for new people; with harmonise harmonisation.npz in both
# CONFIG KEYS  modalities, models, final_model, hyperparameters.<model>, device, folds_per_job, splits.seed,
#              splits.group, interval_coverage, pid, harmonise


SHEETS = rules.split.input.sheets if CONFIG.splits.group else []

# One rule of each kind of model, called train_baseline and train_pidreg, unless a job trains several folds.
for TRAINING in trainings():

    rule:
        name:
            TRAINING.name
        input:
            participants=rules.split.output.participants,
            splits=rules.split.output.splits,
            features=rules.split.input.features,
            chosen=rules.split.output.chosen,
            sheets=SHEETS,
        output:
            **TRAINING.output,
        log:
            f"{OUT}/logs/train/{TRAINING.log}.log",
        benchmark:
            f"{OUT}/benchmarks/train/{TRAINING.log}.tsv"
        conda:
            "../../envs/brainpid.yaml"
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: FITTING_MB * attempt,
            runtime=TRAINING.runtime,
        params:
            **given(slices.TrainSettings.of, "model"),
            code=lambda wildcards: with_own_code(
                code_digest("brainpid.commands.train", MODELS[wildcards.model].module),
                wildcards.model,
            ),
            versions=lambda wildcards: versions(packages_of(wildcards.model)),
            device=unrecorded(lambda wildcards: CONFIG.device),
            folds=lambda wildcards, output: trained_folds(output.predictions),
        shell:
            "OMP_NUM_THREADS={threads} brainpid train --model {wildcards.model} --repeat {wildcards.repeat}"
            " {params.folds} --participants {input.participants:q} --splits {input.splits:q}"
            " --features {input.features:q} --chosen {input.chosen:q} --sheets {input.sheets:q}"
            " --settings {params.settings:q} --threads {threads} --device {params.device:q} 2> {log:q}"


rule train_final:
    """Train the first model on everybody who takes part."""
    input:
        participants=rules.split.output.participants,
        features=rules.split.input.features,
        chosen=rules.split.output.chosen,
        sheets=SHEETS,
    output:
        model=FINAL_MODEL,
        provenance=f"{OUT}/final/{CONFIG.models[0]}/provenance.json",
        history=f"{OUT}/final/{CONFIG.models[0]}/history.tsv",
        harmonised=[f"{OUT}/final/{CONFIG.models[0]}/{file}" for file in HARMONISED],
    log:
        f"{OUT}/logs/train_final.log",
    benchmark:
        f"{OUT}/benchmarks/train_final.tsv"
    conda:
        "../../envs/brainpid.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: FITTING_MB * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        **given(lambda config: slices.TrainSettings.of(config, config.models[0])),
        code=with_own_code(
            code_digest("brainpid.commands.final", MODELS[CONFIG.models[0]].module),
            CONFIG.models[0],
        ),
        versions=versions(packages_of(CONFIG.models[0])),
        device=unrecorded(lambda wildcards: CONFIG.device),
        model=CONFIG.models[0],
        share="--share" if CONFIG.shares_final_model else "",
    shell:
        "OMP_NUM_THREADS={threads} brainpid final --model {params.model:q} --participants {input.participants:q}"
        " --features {input.features:q} --chosen {input.chosen:q} --sheets {input.sheets:q}"
        " --settings {params.settings:q} --threads {threads} --device {params.device:q}"
        " {params.share:q}"
        ' --out "$(dirname {output.model:q})" 2> {log:q}'
