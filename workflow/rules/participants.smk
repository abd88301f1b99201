# REQUIRES     cohorts.<cohort>.participants, a TSV or CSV, and its JSON dictionary where there is one
# PRODUCES     participants/<cohort>.tsv and .json: checked labels, target, sex, site and the other columns that are used
# CONFIG KEYS  cohorts.<cohort>.participants, cohorts.<cohort>.columns, target, splits.group,
#              cohorts.<cohort>.sources.<modality>.divide_by


rule participants:
    """Check one cohort's participants table."""
    input:
        # What the used columns hold is in `content`, so that the time of the table does not count.
        table=ancient(
            lambda wildcards: CONFIG.cohorts[wildcards.cohort].participants_path
        ),
    output:
        sheet=f"{OUT}/participants/{{cohort}}.tsv",
        units=f"{OUT}/participants/{{cohort}}.json",
    log:
        f"{OUT}/logs/participants/{{cohort}}.log",
    benchmark:
        f"{OUT}/benchmarks/participants/{{cohort}}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    resources:
        # A label, on which no result depends: unlike a param, it reruns nothing.
        units=TARGET_UNITS,
    params:
        code=code_digest("brainpid.commands.participants"),
        settings=lambda wildcards: as_json(
            slices.ParticipantsSettings.of(CONFIG, wildcards.cohort), LABELS
        ),
        keep=lambda wildcards: CONFIG.used_columns(wildcards.cohort),
        content=lambda wildcards: participants_content(wildcards.cohort),
    shell:
        "brainpid participants --cohort {wildcards.cohort} --settings {params.settings:q} --units {resources.units:q}"
        " --keep {params.keep:q} --out {output.sheet:q} 2> {log:q}"
