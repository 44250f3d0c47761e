"""Joining text, measured before it is built."""

from hog.runtime.limits import SMALL, reserve, spend


def join(parts: tuple[str, ...]) -> str:
    """The parts as one text."""
    length = sum(map(len, parts))
    if length > SMALL:
        spend(length // 16)
        reserve(length)
    return "".join(parts)
