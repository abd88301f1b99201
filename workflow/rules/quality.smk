# REQUIRES     quality/parts/<cohort>/<modality>_<shard>.tsv of every cohort with images of the modality
# PRODUCES     quality/<modality>.tsv: quality measures, and who stands out in which
# CONFIG KEYS  cohorts.<cohort>.sources (which are images), shards


rule quality:
    """Flag who stands out in the quality measures of a modality."""
    input:
        lambda wildcards: quality_parts(wildcards.modality),
    output:
        f"{OUT}/quality/{{modality}}.tsv",
    log:
        f"{OUT}/logs/quality/{{modality}}.log",
    benchmark:
        f"{OUT}/benchmarks/quality/{{modality}}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        code=code_digest("brainpid.commands.quality"),
    shell:
        "brainpid quality --parts {input:q} --out {output:q} 2> {log:q}"
