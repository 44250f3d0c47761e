"""The operator that turns messages into events and sorts out what is none. It decides nothing: `envelope` does, and
`person_update` for the streams of persons.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard, cast

from bytewax import operators as op
from bytewax.dataflow import Stream, operator

from operators.envelope import decode_message
from operators.person_update import decode_person_update
from records import DeadLetter, EndOfInput, Event, Message, RangeRead

Mark: TypeAlias = EndOfInput | RangeRead
Decoded: TypeAlias = Event | Mark


@dataclass(frozen=True)
class DecodeOut:
    """Streams out of `decode`."""

    events: Stream[Decoded]
    """Events, and the marks of both lanes in their places between them."""
    dead_letters: Stream[DeadLetter]
    """Messages that are not events, with the reason."""


@operator
def decode(step_id: str, up: Stream[Message | Mark], default_project: int, persons: Collection[str] = ()) -> DecodeOut:
    """Decode messages of both shapes, and persons, whose streams are `persons`.

    ```python
    decoded = decode("decode", messages, default_project=1)
    ```

    Shape:
        In: `Message`, `EndOfInput`, `RangeRead`, as the two sources emit them. Out: see `DecodeOut`; order is kept.
    State:
        None.
    Errors:
        None raised. A message that cannot be decoded comes out of `dead_letters`; the deletion of a person nowhere.
    Guarantee:
        The same message gives the same event, `uuid` included, however often it is read.
    """

    def decode_batch(items: list[Message | Mark]) -> list[Decoded | DeadLetter]:
        decoded: list[Decoded | DeadLetter] = []
        for item in items:
            if not isinstance(item, Message):
                decoded.append(item)
            elif item.stream not in persons:
                decoded.append(decode_message(item, default_project))
            elif (update := decode_person_update(item)) is not None:
                decoded.append(update)
        return decoded

    decoded = op.flat_map_batch("decode_batch", up, decode_batch)
    sorted_out = op.branch("sort_out", decoded, _is_dead_letter)
    # The engine's types narrow only the one side of a branch.
    return DecodeOut(events=cast("Stream[Decoded]", sorted_out.falses), dead_letters=sorted_out.trues)


def _is_dead_letter(item: Decoded | DeadLetter) -> TypeGuard[DeadLetter]:
    return isinstance(item, DeadLetter)
