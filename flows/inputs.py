"""Where events, persons and groups are read from and what is written to, parsed from the text that a user writes.

Parses and checks the text only: nothing here opens a topic, and a file is looked at but not read.
"""

import re
import stat
from pathlib import Path

import msgspec

from destinations.notify import WEBHOOK

_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


class InputError(ValueError):
    """The text names no input that can be read. The message says why and what to write, and repeats no credentials."""


class KafkaInput(msgspec.Struct, frozen=True):
    """One topic. `servers` is librdkafka's `bootstrap.servers`: `host:port`, several separated by commas."""

    servers: str
    topic: str

    @property
    def stream(self) -> str:
        """The name of this input in every position."""
        return f"kafka:{self.topic}"


class FileInput(msgspec.Struct, frozen=True):
    """A file of JSON lines. `path` is absolute and free of symbolic links: a link that moves on is another input."""

    path: Path

    @property
    def stream(self) -> str:
        """The name of this input in every position."""
        return f"file:{self.path}"


class StdinInput(msgspec.Struct, frozen=True):
    """Standard input: JSON lines that cannot be read twice."""

    @property
    def stream(self) -> str:
        """The name of this input in every position."""
        return "-"


Input = KafkaInput | FileInput | StdinInput
Table = KafkaInput | FileInput
"""What persons and groups come from. Not standard input: a table must be complete before the first event."""
Persons = tuple[Table, Table]
"""Persons, then distinct ids."""


def parse_events(text: str, base: Path) -> Input:
    """`kafka://HOST:PORT/TOPIC`, the path of a file (relative to `base`), or `-`."""
    if text == "-":
        return StdinInput()
    if _is_kafka(text):
        servers, topics = _kafka_parts(text, "TOPIC")
        return KafkaInput(servers, _topic(topics))
    return _file(text, base)


def parse_capture(text: str, base: Path) -> Table:
    """A topic or a file to write to; the file need not be there yet."""
    if _is_kafka(text):
        servers, topics = _kafka_parts(text, "TOPIC")
        return KafkaInput(servers, _topic(topics))
    if _SCHEME.match(text) or text == "-":
        raise InputError(f"nothing is written to {text!r}; write kafka://HOST:PORT/TOPIC or the path of a file")
    path = base / text
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such directory")
    if path.is_dir():
        raise InputError(f"{path}: is a directory; name one file of JSON lines")
    return FileInput(path.resolve())


def parse_webhook(text: str, _: Path) -> str:
    """The URL as it stands. Whoever knows it can write to it: no message shows it."""
    if WEBHOOK.fullmatch(text) is None:
        raise InputError("expected the whole URL of a webhook, http:// or https://")
    return text


def parse_groups(text: str, base: Path) -> Table:
    """The same as events, without standard input."""
    parsed = parse_events(text, base)
    if isinstance(parsed, StdinInput):
        raise InputError("groups cannot come from standard input; write kafka://HOST:PORT/TOPIC or the path of a file")
    return parsed


def parse_persons(text: str, base: Path) -> Persons:
    """Two topics, `kafka://HOST:PORT/PERSONS,DISTINCT_IDS`, or two files, `PERSONS.jsonl,DISTINCT_IDS.jsonl`."""
    if _is_kafka(text):
        servers, topics = _kafka_parts(text, "PERSONS,DISTINCT_IDS")
        persons, distinct_ids = _pair(topics, "kafka://HOST:PORT/PERSONS,DISTINCT_IDS")
        return KafkaInput(servers, _topic(persons)), KafkaInput(servers, _topic(distinct_ids))
    persons, distinct_ids = _pair(text, "PERSONS.jsonl,DISTINCT_IDS.jsonl")
    return _file(persons, base), _file(distinct_ids, base)


def _pair(text: str, shape: str) -> tuple[str, str]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(parts):
        raise InputError(f"expected two parts, {shape}, got {len([part for part in parts if part])}: {text!r}")
    if parts[0] == parts[1]:
        raise InputError(f"persons and distinct ids are both {parts[0]!r}; expected {shape}")
    return parts[0], parts[1]


def _is_kafka(text: str) -> bool:
    return text.lower().startswith("kafka:")


def _kafka_parts(text: str, topics_shape: str) -> tuple[str, str]:
    shape = f"kafka://HOST:PORT/{topics_shape}"
    if not text.lower().startswith("kafka://"):
        raise InputError(f"expected {shape}, got {text!r}")
    servers, _, topics = text[len("kafka://") :].partition("/")
    if "@" in servers:
        raise InputError(
            f"credentials do not belong into the address; write {shape} and set "
            "OFFRAMP_KAFKA_SASL_USERNAME and OFFRAMP_KAFKA_SASL_PASSWORD"
        )
    if not servers:
        raise InputError(f"no host in {text!r}; expected {shape}")
    for server in servers.split(","):
        match = _HOST_AND_PORT.fullmatch(server)
        if match is None or (match[1] is not None and not 1 <= int(match[1]) <= 65535):
            raise InputError(f"{server!r} is not a HOST:PORT; expected {shape}")
    if not topics:
        raise InputError(f"no topic in {text!r}; expected {shape}")
    return servers, topics


def _topic(text: str) -> str:
    if _TOPIC.fullmatch(text) is None or text in (".", ".."):
        raise InputError(f"{text!r} is not the name of a topic: only letters, digits, '.', '_' and '-' can be in it")
    return text


def _file(text: str, base: Path) -> FileInput:
    scheme = _SCHEME.match(text)
    if scheme is not None:
        raise InputError(f"nothing reads {scheme[1]}://; write kafka://HOST:PORT/TOPIC, the path of a file, or -")
    if text == "-":
        raise InputError("persons cannot come from standard input; write the path of a file")
    try:
        path = (base / text).resolve(strict=True)
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise InputError(f"{base / text}: no such file") from None
    except OSError as error:
        raise InputError(f"{base / text}: {error.strerror}") from None
    except (ValueError, RuntimeError):
        # A zero character in the name, or a link that leads to itself.
        raise InputError(f"{text!r} is not the path of a file") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{path}: is a directory; name one file of JSON lines")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: not an ordinary file, so it cannot be read twice; write - and pipe it in")
    return FileInput(path)
