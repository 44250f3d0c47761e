"""How the bodies of several requests become one."""

from collections.abc import Sequence

import msgspec

from records import Batch

_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAME = msgspec.json.Encoder()


def put_together(bodies: Sequence[bytes], batch: Batch) -> bytes:
    """One body of all, in their order. Those for `join` have an envelope, and it is the same."""
    if batch.form == "join":
        return _joined(bodies, batch.key)
    if batch.form == "ndjson":
        # Outside of a text a line break is space; inside of one it is written as an escape.
        return b"".join(body.replace(b"\n", b" ") + b"\n" for body in bodies)
    return b"[" + b",".join(bodies) + b"]"


def envelope(body: bytes, key: str) -> dict[str, bytes] | None:
    """What stands beside the list at `key`, as JSON by name; None where the body is no object with such a list."""
    parts = _parts(body)
    if parts is None:
        return None
    first, _, rest = key.partition(".")
    inner = parts.pop(first, b"")
    if not rest:
        return parts if inner.startswith(b"[") else None
    beside = envelope(inner, rest)
    return None if beside is None else parts | {f"{first}.{name}": value for name, value in beside.items()}


def _joined(bodies: Sequence[bytes], key: str) -> bytes:
    if len(bodies) == 1:
        return bodies[0]
    parts = [_parts(body) or {} for body in bodies]
    first, _, rest = key.partition(".")
    lists = [each[first] for each in parts]
    if rest:
        joined = _joined(lists, rest)
    else:
        joined = b"[" + b",".join(inner for each in lists if (inner := each[1:-1].strip())) + b"]"
    return (
        b"{"
        + b",".join(
            _NAME.encode(name) + b":" + (joined if name == first else value) for name, value in parts[0].items()
        )
        + b"}"
    )


def _parts(body: bytes) -> dict[str, bytes] | None:
    try:
        return {name: bytes(value) for name, value in _PARTS.decode(body).items()}
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        # The latter two come of text that a template sends as it stands.
        return None
