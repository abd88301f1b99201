# REQUIRES     participants.tsv, features.tsv and the tables under aggregate/
# PRODUCES     report.html, figures/*.svg, dataset_description.json, README.md, .bidsignore
# CONFIG KEYS  report, target, cohorts (kinds of sources), modalities, incomplete, models, splits, interval_coverage, pid,
#              null, explain, harmonise, train_on, groups, extraction (atlases)


rule report:
    """Draw the figures and write the report."""
    input:
        participants=rules.split.output.participants,
        features=rules.split.output.chosen,
        accuracy=rules.aggregate.output.accuracy,
        comparison=rules.aggregate.output.comparison,
        predictions=rules.aggregate.output.predictions,
        pid=rules.aggregate.output.pid,
        pooling=rules.aggregate.output.pooling,
        controls=rules.aggregate.output.controls,
        normality=rules.aggregate.output.normality,
        latents=rules.aggregate.output.latents,
        selection=rules.aggregate.output.selection,
        choice=rules.aggregate.output.choice,
        importance=rules.aggregate.output.importance,
        importance_dictionary=rules.aggregate.output.importance_dictionary,
        base_learners=rules.aggregate.output.base_learners,
        base_learner_dictionary=rules.aggregate.output.base_learner_dictionary,
        atypicality=rules.aggregate.output.atypicality,
        provenance=rules.aggregate.output.provenance,
        leakage=rules.leakage.output.table,
        quality=QUALITY_FILES,
        transfer=rules.aggregate.output.transfer if len(DIVISIONS) > 1 else [],
        calibration=rules.aggregate.output.calibration if LEAVES_SITES_OUT else [],
        groups=rules.groups.output if CONFIG.compared else [],
        harmonisation=rules.harmonisation.output if CONFIG.harmonise.used else [],
    output:
        **(
            {
                "groups": report(
                    f"{OUT}/figures/groups.svg",
                    caption="../report/groups.rst",
                    category="Accuracy",
                )
            }
            if CONFIG.compared
            else {}
        ),
        **(
            {
                "transfer": report(
                    f"{OUT}/figures/transfer.svg",
                    caption="../report/transfer.rst",
                    category="Accuracy",
                )
            }
            if len(DIVISIONS) > 1
            else {}
        ),
        **(
            {
                "importance": report(
                    f"{OUT}/figures/importance.svg",
                    caption="../report/importance.rst",
                    category="Explanation",
                )
            }
            if EXPLAINED
            else {}
        ),
        **(
            {
                "glass_brain": report(
                    f"{OUT}/figures/glass_brain.svg",
                    caption="../report/glass_brain.rst",
                    category="Explanation",
                )
            }
            if EXPLAINED and HAS_ATLASES
            else {}
        ),
        report=f"{OUT}/report.html",
        description=f"{OUT}/dataset_description.json",
        readme=f"{OUT}/README.md",
        bidsignore=f"{OUT}/.bidsignore",
        predicted=report(
            f"{OUT}/figures/predicted_age.svg",
            caption="../report/predicted_age.rst",
            category="Accuracy",
        ),
        brain_pad=report(
            f"{OUT}/figures/brain_pad.svg",
            caption="../report/brain_pad.rst",
            category="Accuracy",
        ),
        contributions=report(
            f"{OUT}/figures/contributions.svg",
            caption="../report/contributions.rst",
            category="Information",
        ),
        added=report(
            f"{OUT}/figures/modalities.svg",
            caption="../report/modalities.rst",
            category="Information",
        ),
        persons=report(
            f"{OUT}/figures/persons.svg",
            caption="../report/persons.rst",
            category="Information",
        ),
        normality=report(
            f"{OUT}/figures/normality.svg",
            caption="../report/normality.rst",
            category="Information",
        ),
        selection=report(
            f"{OUT}/figures/selection.svg",
            caption="../report/selection.rst",
            category="Selection",
        ),
    log:
        f"{OUT}/logs/report.log",
    benchmark:
        f"{OUT}/benchmarks/report.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        **given(slices.ReportSettings.of),
        code=code_digest("brainpid.commands.report"),
        out=lambda wildcards, output: Path(output.report).parent,
    shell:
        "brainpid report --results {params.out:q} --settings {params.settings:q} 2> {log:q}"
