# REQUIRES     aggregate/predictions.tsv and person.tsv, the sheets of all cohorts, and their participants tables, where columns are
#              compared that no other step needs
# PRODUCES     aggregate/groups.tsv, where groups are compared; aggregate/others.tsv, where a part is trained on
# CONFIG KEYS  groups, train_on, cohorts (their names), models, splits.seed, splits.group, pid.confidence


rule groups:
    """Compare groups of people in brain-PAD."""
    input:
        predictions=rules.aggregate.output.predictions,
        person=rules.aggregate.output.person,
        sheets=rules.split.input.sheets,
    output:
        **({"others": f"{OUT}/aggregate/others.tsv"} if CONFIG.train_on else {}),
        table=f"{OUT}/aggregate/groups.tsv",
    log:
        f"{OUT}/logs/groups.log",
    benchmark:
        f"{OUT}/benchmarks/groups.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        **given(slices.GroupsSettings.of),
        code=code_digest("brainpid.commands.groups"),
        people=lambda wildcards: group_contents(),
        folder=lambda wildcards, output: Path(output.table).parent,
    shell:
        "brainpid groups --aggregate {params.folder:q} --sheets {input.sheets:q} --settings {params.settings:q}"
        " 2> {log:q}"
