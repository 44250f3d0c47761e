"""Places in the log, as snapshots keep them. Their form is public: the next version reads it too."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
from pyroaring import BitMap64

from records import Invocation, Span


class Position(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """Of one invocation: the event's place, and the mapping that it matched; empty where there are none."""

    stream: str
    partition: int
    offset: int
    mapping: str = ""


class Positions(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of several of one partition and mapping."""

    stream: str
    partition: int
    offsets: list[int]
    """One that is owed several times stands here as often."""
    since: float
    """When the oldest of them was read, seconds since the epoch."""
    mapping: str = ""


def position_of(invocation: Invocation) -> Position:
    """Where to read it again."""
    return Position(invocation.stream, invocation.partition, invocation.offset, invocation.mapping)


def positions_of(invocations: Iterable[Invocation]) -> list[Positions]:
    """Where to read them again: for all mappings, where all that matched an event are among them, else for each.

    So the events keep one order, whatever each of them matched.
    """
    invocations = list(invocations)
    of_event = Counter((one.stream, one.partition, one.offset) for one in invocations)
    held: dict[tuple[str, int, str], Positions] = {}
    for one in invocations:
        whole = one.together and of_event[one.stream, one.partition, one.offset] >= one.together
        mapping = "" if whole else one.mapping
        at, key = one.read_ms / 1000, (one.stream, one.partition, mapping)
        so_far = held.get(key)
        offsets = [] if so_far is None else so_far.offsets
        offsets.append(one.offset)
        since = at if so_far is None else min(so_far.since, at)
        held[key] = Positions(one.stream, one.partition, offsets, since, mapping)
    return list(held.values())


def spans_of(positions: Iterable[Position]) -> list[Span]:
    """These and no others, by partition and mapping."""
    offsets: dict[tuple[str, int, str], list[int]] = {}
    for one in sorted(positions):
        offsets.setdefault((one.stream, one.partition, one.mapping), []).append(one.offset)
    return [
        Span(stream, partition, only[0], only[-1], only, mapping)
        for (stream, partition, mapping), only in offsets.items()
    ]


def encode(value: object) -> Any:
    """What msgspec asks for of a type that it does not know: a bitmap as its portable bytes."""
    if isinstance(value, BitMap64):
        return value.serialize()
    raise NotImplementedError(f"a snapshot cannot hold a {type(value).__name__}")


def decode(type: type, value: Any) -> Any:
    """The other way; a list of integers is what versions before 4 wrote."""
    if type is not BitMap64:
        raise NotImplementedError(f"a snapshot cannot hold a {type.__name__}")
    try:
        return BitMap64.deserialize(value) if isinstance(value, bytes) else BitMap64(value)
    except (IndexError, OverflowError) as error:
        raise ValueError(f"not a bitmap: {error}") from None
