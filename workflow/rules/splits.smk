# REQUIRES     participants/<cohort>.tsv and features/<cohort>.h5 of every cohort
# PRODUCES     participants.tsv (everybody, with status and reason); features.tsv (all features, and why some are left out);
#              splits.tsv (roles by repeat and fold)
# CONFIG KEYS  modalities, target.range, incomplete, splits; models, hyperparameters.pidreg.members and interval_coverage
#              set limits, and rerun nothing


rule split:
    """Decide who and which features take part, and who is on which side of every split."""
    input:
        sheets=expand(rules.participants.output.sheet, cohort=COHORTS),
        features=expand(rules.collect.output, cohort=COHORTS),
    output:
        participants=f"{OUT}/participants.tsv",
        splits=f"{OUT}/splits.tsv",
        chosen=f"{OUT}/features.tsv",
    log:
        f"{OUT}/logs/split.log",
    benchmark:
        f"{OUT}/benchmarks/split.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        **given(slices.SplitSettings.of),
        code=code_digest("brainpid.commands.split"),
        # What later steps need, to refuse early.
        limits=unrecorded(
            lambda wildcards: slices.LimitSettings.of(CONFIG).model_dump_json()
        ),
    shell:
        "brainpid split --participants {input.sheets:q} --features {input.features:q} --settings {params.settings:q}"
        " --limits {params.limits:q} --out-participants {output.participants:q} --out-splits {output.splits:q}"
        " --out-features {output.chosen:q} 2> {log:q}"
