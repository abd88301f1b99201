# REQUIRES     participants/<cohort>.tsv and features/<cohort>.h5 of every cohort
# PRODUCES     participants.tsv (everybody, with status and reason) and splits.tsv (roles by repeat and fold)
# CONFIG KEYS  modalities, target, incomplete, splits


rule split:
    """Decide who takes part and on which side of every split."""
    input:
        sheets=expand(rules.participants.output.sheet, cohort=COHORTS),
        features=expand(rules.collect.output, cohort=COHORTS),
    output:
        participants=f"{OUT}/participants.tsv",
        splits=f"{OUT}/splits.tsv",
    log:
        f"{OUT}/logs/split.log",
    benchmark:
        f"{OUT}/benchmarks/split.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        code=code_digest("brainpid.commands.split"),
        settings=as_json(slices.SplitSettings.of(CONFIG)),
    shell:
        "brainpid split --participants {input.sheets} --features {input.features} --settings {params.settings:q}"
        " --out-participants {output.participants} --out-splits {output.splits} 2> {log}"
