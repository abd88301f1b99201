# REQUIRES     images that the configuration names: their headers, of jobs that will run
# PRODUCES     the budget of memory of a run on one machine, what image jobs ask of it, and how Slurm is asked
# CONFIG KEYS  cohorts.<cohort>.sources, extraction

from brainpid.core.memory import memory_budget
from brainpid.core.slurm import without_accounts
from brainpid.config.sources import reader_of

OTHER_JOBS_MB = 1000  # of a rule that does not say; most take a quarter of it
# Where jobs go elsewhere, Snakemake was told how many at a time. A process that runs one job decides nothing.
BUDGET = memory_budget() if workflow.is_main_process else None
RUNS_HERE = workflow.is_main_process and workflow.resource_settings.nodes is None
GIVEN_MB = workflow.global_resources["mem_mb"] if "mem_mb" in workflow.global_resources else None
