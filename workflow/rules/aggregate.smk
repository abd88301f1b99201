# REQUIRES     splits.tsv, features.tsv, every fold's predictions.tsv and provenance.json (with train_on others.tsv), importance.tsv of those that
#              were asked, and every cohort's null/<cohort>.tsv and .json; with splits.group the sheets too, with
#              reference_ages reference/, and quality/<modality>.tsv of those whose measures are controls
# PRODUCES     aggregate/{accuracy,comparison,predictions,latents,pid,controls,null,normality,selection,
#              importance,base_learners,atypicality}.tsv, of several schemes transfer.tsv too;
#              where sites or cohorts are left out calibration.{tsv,json};
#              {pid,pool,controls,selection,importance,base_learners,atypicality,provenance}.json
# CONFIG KEYS  cohorts (their names), modalities, costs, models, target (column, units), reference_ages,
#              splits.scheme, splits.group, pid, controls, explain


rule aggregate:
    """Join all folds."""
    input:
        splits=rules.split.output.splits,
        folds=[path for path in FOLD_FILES if path.endswith("predictions.tsv")],
        others=[path for path in FOLD_FILES if path.endswith("others.tsv")],
        made_by=[path for path in FOLD_FILES if path.endswith("provenance.json")],
        chosen=rules.split.output.chosen,
        nulls=NULL_FILES,
        estimated=NULL_PROVENANCE,
        importances=EXPLAINED,
        reference=rules.rescore.output if CONFIG.reference_ages else [],
        quality=CONTROL_QUALITY,
        sheets=rules.split.input.sheets if CONFIG.splits.group else [],
    output:
        **({"transfer": f"{OUT}/aggregate/transfer.tsv"} if len(DIVISIONS) > 1 else {}),
        **(
            {
                "calibration": f"{OUT}/aggregate/calibration.tsv",
                "learned": f"{OUT}/aggregate/calibration.json",
            }
            if LEAVES_SITES_OUT
            else {}
        ),
        accuracy=f"{OUT}/aggregate/accuracy.tsv",
        comparison=f"{OUT}/aggregate/comparison.tsv",
        predictions=f"{OUT}/aggregate/predictions.tsv",
        coverage=f"{OUT}/aggregate/coverage.tsv",
        person=f"{OUT}/aggregate/person.tsv",
        person_dictionary=f"{OUT}/aggregate/person.json",
        reliability=f"{OUT}/aggregate/reliability.tsv",
        pid=f"{OUT}/aggregate/pid.tsv",
        pooling=f"{OUT}/aggregate/pooling.tsv",
        pool=f"{OUT}/aggregate/pool.json",
        pid_dictionary=f"{OUT}/aggregate/pid.json",
        controls=f"{OUT}/aggregate/controls.tsv",
        control_dictionary=f"{OUT}/aggregate/controls.json",
        latents=f"{OUT}/aggregate/latents.tsv",
        null=f"{OUT}/aggregate/null.tsv",
        normality=f"{OUT}/aggregate/normality.tsv",
        selection=f"{OUT}/aggregate/selection.tsv",
        choice=f"{OUT}/aggregate/selection.json",
        importance=f"{OUT}/aggregate/importance.tsv",
        importance_dictionary=f"{OUT}/aggregate/importance.json",
        base_learners=f"{OUT}/aggregate/base_learners.tsv",
        base_learner_dictionary=f"{OUT}/aggregate/base_learners.json",
        atypicality=f"{OUT}/aggregate/atypicality.tsv",
        atypicality_dictionary=f"{OUT}/aggregate/atypicality.json",
        provenance=f"{OUT}/aggregate/provenance.json",
    log:
        f"{OUT}/logs/aggregate.log",
    benchmark:
        f"{OUT}/benchmarks/aggregate.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        **given(slices.AggregateSettings.of),
        code=code_digest("brainpid.commands.aggregate"),
        controls=lambda wildcards: control_contents(),
        folds=lambda wildcards, input: Path(input.folds[0]).parents[2],
        out=lambda wildcards, output: Path(output.accuracy).parent,
    shell:
        "brainpid aggregate --splits {input.splits:q} --folds {params.folds:q} --chosen {input.chosen:q} --nulls {input.nulls:q}"
        " --importances {input.importances:q} --quality {input.quality:q} --sheets {input.sheets:q} --reference {input.reference:q}"
        " --settings {params.settings:q} --out {params.out:q} 2> {log:q}"
