"""brainpid: several imaging cohorts in, brain age and what each modality tells about it out."""

from snakemake.utils import min_version

min_version("9.27")

if not workflow.config_settings.configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/machine.smk"
include: "workflow/rules/state.smk"
include: "workflow/rules/starter.smk"
include: "workflow/rules/participants.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/quality.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/leakage.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/harmonisation.smk"
include: "workflow/rules/explain.smk"
include: "workflow/rules/null.smk"
include: "workflow/rules/rescore.smk"
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/groups.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        # Every file that a user reads, by name: of what no target names, nothing would be made again where it is
        # deleted, as long as the report is there.
        COHORT_FILES,
        rules.split.output,
        FOLD_FILES,
        EXPLAINED,
        rules.train_final.output if CONFIG.final_model else [],
        NULL_FILES,
        NULL_PROVENANCE,
        QUALITY_PARTS,
        QUALITY_FILES,
        rules.rescore.output if CONFIG.reference_ages else [],
        rules.harmonisation.output if CONFIG.harmonise.used else [],
        rules.leakage.output,
        rules.aggregate.output,
        rules.groups.output if CONFIG.compared else [],
        rules.report.output,


count_others()
