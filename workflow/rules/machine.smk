# REQUIRES     headers of the images of jobs that will run
# PRODUCES     the memory that jobs of a run on this machine may take together, what an image job asks of it, and how
#              Slurm is asked for the state of jobs
# CONFIG KEYS  cohorts.<cohort>.sources, extraction

from brainpid.config.sources import reader_of, settings_of
from brainpid.core.memory import FITTING_MB, OTHER_JOBS_MB, memory_budget
from brainpid.core.slurm import without_accounts
from brainpid.features.memory import job_memory

# Where jobs go to other machines, Snakemake was told how many at a time. A process that runs one job decides nothing.
RUNS_HERE = workflow.is_main_process and workflow.resource_settings.nodes is None
BUDGET = None
if RUNS_HERE and "mem_mb" not in workflow.global_resources:
    BUDGET = memory_budget()
    workflow.global_resources["mem_mb"] = BUDGET.mb


@cache
def image_need(cohort, modality, shard, workers):
    """Memory of an image job, by the headers of its people's images; read once, and of jobs alone that will run."""
    source = CONFIG.cohorts[cohort].sources[modality]
    # A job that runs elsewhere has its memory already.
    people = (
        found_in_shards(cohort, modality)[1][int(shard)]
        if workflow.is_main_process
        else []
    )
    section = settings_of(source, modality, CONFIG.extraction)
    return job_memory(reader_of(source, modality), people, section, workers)


def image_mb(wildcards, attempt, threads):
    """MB that an image job asks for; where there is less, it says so before it starts, and Snakemake runs it alone."""
    need = image_need(wildcards.cohort, wildcards.modality, wildcards.shard, threads)
    mb = need.mb * attempt
    available = workflow.global_resources["mem_mb"].value if RUNS_HERE else None
    if available is not None and mb > available:
        logger.warning(
            f"memory: {wildcards.modality} of cohort {wildcards.cohort}, shard {wildcards.shard}, asks for {mb} MB "
            f"and there are {available} MB: it runs alone, and may be killed. Its largest image is "
            f"{need.largest or 'not readable'}"
        )
    return mb


def count_others():
    """Jobs whose rule does not say what memory they take count as well."""
    for one in workflow.rules if RUNS_HERE else []:
        if one.output and "mem_mb" not in one.resources:
            one.resources["mem_mb"] = OTHER_JOBS_MB


def say_where_it_runs():
    """Say how much memory jobs may take, or how Slurm is asked where its default would wait for ever."""
    if BUDGET:
        print(BUDGET.sentence(), file=sys.stderr)
    if workflow.executor_plugin.name != "slurm":
        return
    try:
        polling = without_accounts()
    except InputError as error:
        stop(error)
    if polling:
        options = workflow.executor_settings
        options.status_command = "squeue"
        if polling.first_s is not None:
            options.init_seconds_before_status_checks = min(
                options.init_seconds_before_status_checks, polling.first_s
            )
        print(polling.sentence, file=sys.stderr)


onstart:
    say_where_it_runs()
