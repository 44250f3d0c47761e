"""Carries out what people ask of a destination. Pure: it changes the outbox, and tells what became of it."""

from delivery.outbox import Outbox
from records import Command, CommandKind, LogLine


def carry_out(outbox: Outbox, command: Command, now: float) -> list[LogLine]:
    """Do what the command says, once: one that comes again after a restart changes nothing."""
    if command.id <= outbox.command:
        return []
    outbox.command = command.id
    who = f"by {command.by}" if command.by else "by hand"
    if command.kind is CommandKind.REPLAY:
        return _replay(outbox, command, now, who)
    match command.kind:
        case CommandKind.PAUSE:
            outbox.health.pause(now, who)
            text = f"paused {who}: what matches is owed"
        case CommandKind.DISABLE:
            outbox.health.disable(now, who)
            text = f"disabled {who}: what matches is owed"
        case CommandKind.ENABLE:
            skipped = outbox.give_up() if command.skip_missed else 0
            outbox.health.enable(now, who)
            text = f"enabled {who}: {_became(outbox.owed, skipped)}"
        case CommandKind.PAUSE_REPLAYS | CommandKind.RESUME_REPLAYS:
            paused = command.kind is CommandKind.PAUSE_REPLAYS
            outbox.backlog.pause_replays(paused)
            text = f"replays {'paused' if paused else 'go on'} {who}"
        case CommandKind.CANCEL_REPLAYS:
            text = f"replays cancelled {who}: {_became(0, outbox.give_up(replays=True))}"
    return [LogLine(outbox.destination, now, "info", text)]


def _replay(outbox: Outbox, command: Command, now: float, who: str) -> list[LogLine]:
    positions = outbox.replay(command, now)
    where = ", ".join(f"{span.stream}/{span.partition}:{span.first} to {span.last}" for span in command.spans)
    what = f"{positions} deliveries that had failed" if command.failed else f"{positions} positions"
    if left_out := sum(span.positions for span in command.spans) - positions:
        what += f", and {left_out} more that are owed already"
    return [LogLine(outbox.destination, now, "info", f"replay {command.id} begun {who}: {what} ({where})")]


def _became(owed: int, skipped: int) -> str:
    parts = [f"{owed} that were missed will be sent"] if owed else []
    parts += [f"{skipped} that were missed are given up"] if skipped else []
    return ", ".join(parts) or "nothing was missed"
