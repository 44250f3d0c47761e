"""`offramp run`: starts the job, waits for its end, says how it went."""

import gc
import logging
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from connectors.lane import Beats
from delivery import StateError
from flows.deliver import build
from flows.job import Job
from flows.settings import Settings
from flows.signals import Signals
from flows.summary import summary

_log = logging.getLogger("offramp")


def run(settings: Settings, signals: Signals) -> int:
    """Run until the inputs are exhausted (`until_end`) or until SIGTERM or SIGINT; a second one waits for no answer.

    Returns:
        0, or 1 when a delivery of this run failed for good or the flow broke.

    Raises:
        SettingsError, ValueError: When something that was asked for is not there; the text says what to do.
    """
    # Short-lived objects are many here and cycles are rare: the default would look for cycles a hundred times a second.
    gc.set_threshold(50_000, 50, 50)
    _raise_open_files()
    job = Job(settings)
    # Whatever comes now ends in an orderly way: a flow that is only being built ends with its first turn.
    signals.hand_over(lambda: _stop(job))
    job.start()
    gc.freeze()
    if settings.until_end and job.destinations.problems() and not job.destinations.ids():
        # Reading on would pass over everything for nobody, and remember that it did.
        _log.error("no destination can run, so nothing was read; correct the files and start again")
        job.close()
        return 1
    started = time.monotonic()
    try:
        cli_main(
            build(job),
            workers_per_process=settings.workers,
            epoch_interval=timedelta(seconds=Beats(settings.snapshot_interval_s).epoch_s),
            recovery_config=RecoveryConfig(recovery_dir(settings.state)),
        )
    except RuntimeError as error:
        _say_why(_cause(error))
        return 1
    finally:
        job.close()
    if job.failure:
        _log.error("%s; start the job again to go on where it was", job.failure)
        return 1
    for line in summary(job, time.monotonic() - started):
        sys.stdout.write(f"{line}\n")
    return int(job.failed)


def recovery_dir(state: Path) -> Path:
    """The engine's snapshots, made when they are not there yet."""
    folder = state / "recovery"
    if not list(folder.glob("*.sqlite3")):
        folder.mkdir(parents=True, exist_ok=True)
        init_db_dir(folder, 1)
    return folder


def _raise_open_files() -> None:
    """Each request that hangs holds a socket; the usual soft limit of 1,024 is less than a bad day needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _stop(job: Job) -> None:
    """Somebody asks the job to end, perhaps not for the first time."""
    if job.gate.stopping():
        _log.warning("ending at once: what is on the wire will be sent again at the next start")
    else:
        grace_s = job.settings.shutdown_grace_s
        _log.info("ending: reading has stopped, answers are waited for up to %g s (again to end at once)", grace_s)
    job.gate.stop()


def _say_why(cause: BaseException) -> None:
    if isinstance(cause, StateError):
        _log.error("%s", cause)
        return
    # A fault of the program: whoever mends it needs to know where. What is owed is in the last snapshot.
    _log.error("the flow has broken; start it again to go on where it was: %r", cause, exc_info=cause)


def _cause(error: BaseException) -> BaseException:
    """The first error of a chain: the engine wraps what happened in where it happened."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
