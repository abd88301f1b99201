# REQUIRES     participants.tsv, splits.tsv, features.tsv, features/<cohort>.h5 and what extraction kept of people's files;
#              the participants tables themselves, for columns of relatives; with splits.group the sheets too
# PRODUCES     aggregate/leakage.tsv and .json: one line a finding that makes results too good
# CONFIG KEYS  target.column, modalities, splits.group, cohorts.<cohort>.participants,
#              cohorts.<cohort>.columns.participant_id, cohorts.<cohort>.sources (their kinds)


rule leakage:
    """Look for people who are in the study twice, features that are the target, and other leaks."""
    input:
        participants=rules.split.output.participants,
        splits=rules.split.output.splits,
        chosen=rules.split.output.chosen,
        features=expand(rules.collect.output, cohort=COHORTS),
        sheets=rules.split.input.sheets if CONFIG.splits.group else [],
    output:
        table=f"{OUT}/aggregate/leakage.tsv",
        dictionary=f"{OUT}/aggregate/leakage.json",
    log:
        f"{OUT}/logs/leakage.log",
    benchmark:
        f"{OUT}/benchmarks/leakage.tsv"
    conda:
        "../../envs/brainpid.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: FITTING_MB * attempt,
    params:
        **given(LeakageSettings.of),
        code=code_digest("brainpid.commands.leakage"),
        families=lambda wildcards: families_content(),
        persons=unrecorded(lambda wildcards: f"{OUT}/features/persons"),
    shell:
        "OMP_NUM_THREADS={threads} brainpid leakage --participants {input.participants:q} --splits {input.splits:q}"
        " --chosen {input.chosen:q} --features {input.features:q} --sheets {input.sheets:q}"
        " --persons {params.persons:q} --settings {params.settings:q} --out {output.table:q} 2> {log:q}"
