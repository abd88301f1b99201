# REQUIRES     OUT, the output folder
# PRODUCES     to whoever started Snakemake and asks for it, as `brainpid run` does: what is done and what failed; and an
#              end together with it, so that no run goes on that nobody knows of
# CONFIG KEYS  none

from brainpid.core.workflow_events import tell_starter

if workflow.is_main_process:
    tell_starter(logger, OUT)
