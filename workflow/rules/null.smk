# REQUIRES     participants.tsv, features.tsv and features/<cohort>.h5; with splits.group the sheets too;
#              quality/<modality>.tsv of those whose measures are controls
# PRODUCES     null/<cohort>.tsv (one line a permutation) and .json (where it comes from, and the
#              widening of standard errors)
# CONFIG KEYS  null, modalities, splits.seed, splits.group, controls


rule null:
    """Test what modalities tell and add in one cohort, and estimate the widening of its standard errors."""
    input:
        participants=rules.split.output.participants,
        features=f"{OUT}/features/{{cohort}}.h5",
        chosen=rules.split.output.chosen,
        sheets=rules.split.input.sheets if CONFIG.splits.group else [],
        quality=CONTROL_QUALITY,
    output:
        table=f"{OUT}/null/{{cohort}}.tsv",
        provenance=f"{OUT}/null/{{cohort}}.json",
    log:
        f"{OUT}/logs/null/{{cohort}}.log",
    benchmark:
        f"{OUT}/benchmarks/null/{{cohort}}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: FITTING_MB * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        **given(slices.NullSettings.of),
        controls=lambda wildcards: control_contents(),
        code=code_digest("brainpid.commands.null", ENCODERS[CONFIG.null.encoder].module),
        versions=versions(ENCODERS[CONFIG.null.encoder].packages),
    shell:
        "OMP_NUM_THREADS={threads} brainpid null --cohort {wildcards.cohort} --participants {input.participants:q}"
        " --features {input.features:q} --chosen {input.chosen:q} --sheets {input.sheets:q}"
        " --quality {input.quality:q} --settings {params.settings:q} --threads {threads}"
        " --out {output.table:q} 2> {log:q}"
