# REQUIRES     cohorts.<cohort>.participants, a TSV or CSV, and its JSON dictionary where there is one
# PRODUCES     participants/<cohort>.tsv and .json: checked labels, target, sex, site and every other column
# CONFIG KEYS  cohorts.<cohort>.participants, cohorts.<cohort>.columns, target


rule participants:
    """Check one cohort's participants table."""
    input:
        table=lambda wildcards: CONFIG.cohorts[wildcards.cohort].participants_path,
        units=lambda wildcards: existing_dictionary(
            CONFIG.cohorts[wildcards.cohort].participants_path
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
    params:
        code=code_digest("brainpid.commands.participants"),
        settings=lambda wildcards: as_json(
            slices.ParticipantsSettings.of(CONFIG, wildcards.cohort)
        ),
    shell:
        "brainpid participants --cohort {wildcards.cohort} --settings {params.settings:q} --out {output.sheet:q}"
        " 2> {log:q}"
