"""What `offramp run` says at its end: one line per destination, and what a reader should do about the rest."""

from collections.abc import Iterator

from flows.job import Job
from records import Status


def summary(job: Job, seconds: float) -> Iterator[str]:
    """Lines for people."""
    statuses = job.writer.statuses
    for id in sorted(job.destinations.ids()):
        status = statuses.get(id)
        yield _line(status) if status is not None else f"{id}: nothing matched"
    for id, problems in sorted(job.destinations.problems().items()):
        kept = "its last good version ran" if job.destinations.find(id) else "it did not run"
        yield f"{id}: invalid, {kept}: {problems[0].summary()}" if id else f"invalid: {problems[0].summary()}"
    letters = job.writer.dead_letters
    if letters:
        messages = "1 message was" if letters == 1 else f"{letters} messages were"
        yield f"{messages} not an event: see `offramp dead-letters --state {job.settings.state}`"
    if job.settings.until_end and job.resumed and not (job.events.messages_read() or job.writer.settled):
        yield (
            f"nothing new since the last run: {job.settings.state} remembers how far it came; "
            "give another --state to send everything again"
        )
    yield f"ended after {seconds:.1f} s"


def _line(status: Status) -> str:
    counts = [("delivered", status.delivered), ("failed", status.failed), ("owed", status.owed)]
    counts += [(name, n) for name, n in (("expired", status.expired), ("skipped", status.skipped)) if n]
    return f"{status.id}: matched {status.matched}, " + ", ".join(f"{name} {count}" for name, count in counts)
