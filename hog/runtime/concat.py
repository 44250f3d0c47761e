"""Joining text, measured before it is built."""

from hog.runtime.limits import MAX_TEXT, check_text


def join(parts: tuple[str, ...]) -> str:
    """The parts as one text."""
    length = sum(map(len, parts))
    if length > MAX_TEXT:
        check_text(length)
    return "".join(parts)
