# REQUIRES     cohorts.<cohort>.participants, a TSV or CSV, and its JSON dictionary where there is one
# PRODUCES     participants/<cohort>.tsv and .json: checked labels, target, sex, site and the other columns that are used
# CONFIG KEYS  cohorts.<cohort>.participants, cohorts.<cohort>.columns, target, splits.group,
#              cohorts.<cohort>.sources.<modality>.divide_by


rule participants:
    """Check one cohort's participants table."""
    output:
        sheet=f"{OUT}/participants/{{cohort}}.tsv",
        units=f"{OUT}/participants/{{cohort}}.json",
    log:
        f"{OUT}/logs/participants/{{cohort}}.log",
    benchmark:
        f"{OUT}/benchmarks/participants/{{cohort}}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        # The unit of the target is a label: it stands in messages alone.
        **given(
            slices.ParticipantsSettings.of,
            "cohort",
            labels={"target": {"units"}},
        ),
        code=code_digest("brainpid.commands.participants"),
        keep=lambda wildcards: CONFIG.used_columns(wildcards.cohort),
        # Named with the first job that reads the table, and read by a later one.
        expect=unrecorded(lambda wildcards: json.dumps(CONFIG.compared_alone)),
        content=lambda wildcards: participants_content(wildcards.cohort),
    shell:
        "brainpid participants --cohort {wildcards.cohort} --settings {params.settings:q}"
        " --keep {params.keep:q} --expect {params.expect:q} --out {output.sheet:q} 2> {log:q}"
