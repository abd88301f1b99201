"""brainpid: several imaging cohorts in, brain age and what each modality tells about it out."""

from snakemake.utils import min_version

min_version("9.0")

if not workflow.config_settings.configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/participants.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/quality.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/explain.smk"
include: "workflow/rules/null.smk"
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        # Every fold and feature file by name: with the report alone, a fold that was deleted would not be made again.
        COHORT_FILES,
        FOLD_FILES,
        EXPLAINED,
        FINAL_FILES,
        NULL_FILES,
        QUALITY_FILES,
        f"{OUT}/report.html",
