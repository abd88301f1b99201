# REQUIRES     OUT, the output folder
# PRODUCES     the place of Snakemake's records (settings, code and inputs that each file was made with, locks):
#              <output_dir>/.snakemake, under paths relative to it; so that a finished output knows what it was made
#              with from whatever folder the workflow is started, and after it was copied or moved; running/ in it,
#              who runs it, so that the lock of a run that was killed is known as such
# CONFIG KEYS  output_dir

import errno
import snakemake.workflow
from contextlib import contextmanager
from snakemake.persistence import UNREPRESENTABLE
from snakemake.persistence.file import FilePersistence

from brainpid.core.run_owner import Owner, clear_ended, read_owners


class OutputRecords(FilePersistence):
    """Records of Snakemake that lie in the output folder and name its files relative to it."""

    def __init__(self, **options):
        self._out = os.path.abspath(OUT)
        own = Path(self._out, ".snakemake")
        try:
            if workflow.is_main_process and not (own / "metadata").is_dir():
                self._refuse_unknown(options["dag"].workflow.dag_settings.forceall)
            super().__init__(**options | {"path": options["path"] or own})
        except InputError as error:
            stop(error)
        except OSError as fault:
            stop(
                InputError(
                    f"output_dir: {OUT} cannot be written into: {fault.strerror}"
                )
            )

    def _refuse_unknown(self, all_again):
        """Files of which nothing tells what they were made with are not taken for finished."""
        results = [path for path in COHORT_FILES + FOLD_FILES if Path(path).exists()]
        if results and not all_again:
            raise InputError(
                f"{results[0]} is there, but not the folder {OUT}/.snakemake, which tells with which settings and code "
                "it was made. Copy or move an output folder as a whole (cp -a, rsync -a, mv), or make everything again "
                "with --forceall: what was extracted from people is kept where it still fits"
            )

    @contextmanager
    def lock(self):
        """Lock; what a run left that has ended, be it by a kill, is taken away, and one at work is told."""
        records = Path(self.path)
        own = Owner.this_process().write(records)
        try:
            if self.locked and clear_ended(records, own, OUT):
                super().cleanup_locks()
                os.makedirs(self._lockdir)  # which goes with them
            with super().lock():
                yield
        except MachineError as error:
            stop(error)
        finally:
            own.unlink(missing_ok=True)

    def cleanup_locks(self):
        """Unlock because the user says so, who knows more of other machines."""
        super().cleanup_locks()
        for path in read_owners(Path(self.path)):
            path.unlink(missing_ok=True)

    def _plain(self, path):
        """A path below the output folder relative to it; another one as it is."""
        path = str(path)
        whole = os.path.abspath(path)
        return (
            os.path.relpath(whole, self._out)
            if whole.startswith(self._out + os.sep)
            else path
        )

    def _get_key(self, f):
        return self._plain(super()._get_key(f))

    def _input(self, job):
        return sorted(map(self._plain, super()._input(job)))

    def _serialize_param_builtin(self, value):
        return (
            UNREPRESENTABLE
            if isinstance(value, Unrecorded)
            else super()._serialize_param_builtin(value)
        )

    def _write_record(self, key, record):
        record.input_checksums = {
            self._plain(path): checksum
            for path, checksum in record.input_checksums.items()
        }
        super()._write_record(key, record)

    def input_checksums(self, job, input_path):
        return super().input_checksums(job, self._plain(input_path))

    def all_inputfiles(self):
        return map(self._plain, super().all_inputfiles())

    def all_outputfiles(self):
        return map(self._plain, super().all_outputfiles())

    def _io_write(self, subject, json_value, id, **mode):
        try:
            super()._io_write(subject, json_value, id, **mode)
        except OSError as fault:
            # The record is written by then; a file system that keeps modes of its own (CIFS, NFSv4) refuses chmod.
            if fault.errno not in (errno.EPERM, errno.ENOTSUP):
                raise


# Snakemake has no option for it; tests run the workflow from other folders and on copies.
snakemake.workflow.FilePersistence = OutputRecords
