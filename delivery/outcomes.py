"""Makes the outcome of an attempt: what people may see of it, with every secret masked."""

from collections.abc import Callable
from typing import Final

from records import CUT_MARGIN_BYTES, KEPT_BODY_BYTES, Attempt, Invocation, Note, Outcome, Response, Verdict

Redact = Callable[[bytes], bytes]
REASON_CHARS: Final = 10_000


class Once:
    """Masks each text once, however many events the one answer is for."""

    def __init__(self, redact: Redact) -> None:
        """To be used for one moment: what has to be masked may be something else in the next."""
        self._redact = redact
        self._masked: dict[bytes, bytes] = {}

    def __call__(self, text: bytes) -> bytes:
        """The text without secrets."""
        masked = self._masked.get(text)
        if masked is None:
            masked = self._masked[text] = self._redact(text)
        return masked


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
        # Cut behind the masking: half of a secret would not be known for one.
        reason=_masked(reason, redact)[:REASON_CHARS] if reason else "",
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
