# REQUIRES     participants/<cohort>.tsv and the sources that the configuration names
# PRODUCES     features/parts/<cohort>/<modality>.h5 and, merged, features/<cohort>.h5
# CONFIG KEYS  cohorts.<cohort>.sources


rule extract:
    """Extract one modality of one cohort."""
    input:
        sheet=rules.participants.output.sheet,
        units=rules.participants.output.units,
        table=lambda wildcards: CONFIG.cohorts[wildcards.cohort]
        .sources[wildcards.modality]
        .path,
        table_units=lambda wildcards: existing_dictionary(
            CONFIG.cohorts[wildcards.cohort].sources[wildcards.modality].path
        ),
    output:
        f"{OUT}/features/parts/{{cohort}}/{{modality}}.h5",
    log:
        f"{OUT}/logs/extract/{{cohort}}_{{modality}}.log",
    benchmark:
        f"{OUT}/benchmarks/extract/{{cohort}}_{{modality}}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        code=code_digest("brainpid.stages.extract"),
        settings=lambda wildcards: as_json(
            CONFIG.cohorts[wildcards.cohort].sources[wildcards.modality]
        ),
    shell:
        "brainpid extract --cohort {wildcards.cohort} --modality {wildcards.modality} --participants {input.sheet}"
        " --settings {params.settings:q} --out {output} 2> {log}"


rule collect:
    """Merge a cohort's modalities."""
    input:
        lambda wildcards: expand(
            rules.extract.output,
            modality=CONFIG.cohorts[wildcards.cohort].sources,
            allow_missing=True,
        ),
    output:
        f"{OUT}/features/{{cohort}}.h5",
    log:
        f"{OUT}/logs/collect/{{cohort}}.log",
    benchmark:
        f"{OUT}/benchmarks/collect/{{cohort}}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        code=code_digest("brainpid.stages.collect"),
    shell:
        "brainpid collect --cohort {wildcards.cohort} --parts {input} --out {output} 2> {log}"
