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
    if parts is None or not parts.pop(key, b"").startswith(b"["):
        return None
    return parts


def _joined(bodies: Sequence[bytes], key: str) -> bytes:
    if len(bodies) == 1:
        return bodies[0]
    parts = [_parts(body) or {} for body in bodies]
    items = b",".join(inner for each in parts if (inner := each[key][1:-1].strip()))
    first = parts[0]
    return (
        b"{"
        + b",".join(
            _NAME.encode(name) + b":" + (value if name != key else b"[" + items + b"]") for name, value in first.items()
        )
        + b"}"
    )


def _parts(body: bytes) -> dict[str, bytes] | None:
    try:
        return {name: bytes(value) for name, value in _PARTS.decode(body).items()}
    except msgspec.MsgspecError:
        return None
