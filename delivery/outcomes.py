"""Makes the outcome of an attempt: what people may see of it, with every secret masked."""

from collections.abc import Callable

from records import CUT_MARGIN_BYTES, KEPT_BODY_BYTES, Attempt, Invocation, Note, Outcome, Response, Verdict

Redact = Callable[[bytes], bytes]


def outcome_of(
    invocation: Invocation,
    verdict: Verdict,
    now: float,
    redact: Redact,
    attempt: Attempt | None = None,
    reason: str = "",
) -> Outcome:
    """The outcome; `attempt` is None where nothing could be attempted."""
    response = attempt.response if attempt is not None else None
    return Outcome(
        destination=invocation.destination,
        invocation=invocation.id,
        verdict=verdict,
        at=now,
        attempts=invocation.retries + (verdict is not Verdict.RETRYING),
        stream=invocation.stream,
        partition=invocation.partition,
        offset=invocation.offset,
        event_uuid=invocation.event_uuid,
        event_name=invocation.event_name,
        status=response.status if response is not None else None,
        duration_ms=attempt.duration_ms if attempt is not None else 0.0,
        reason=_masked(reason, redact) if reason else "",
        body=shown(response, redact) if response is not None and verdict is not Verdict.DELIVERED else b"",
        notes=tuple(_masked_note(note, redact) for note in attempt.notes) if attempt is not None else (),
        mapping=invocation.mapping,
    )


def shown(cut: Response | Note, redact: Redact) -> bytes:
    """The beginning of a body, ended only where no part of a secret can be left."""
    body = redact(cut.body)
    return body[: len(body) - CUT_MARGIN_BYTES if cut.truncated else None][:KEPT_BODY_BYTES]


def _masked_note(note: Note, redact: Redact) -> Note:
    return Note(note.at, note.level, _masked(note.message, redact), shown(note, redact), note.truncated)


def _masked(text: str, redact: Redact) -> str:
    return redact(text.encode(errors="replace")).decode(errors="replace")
