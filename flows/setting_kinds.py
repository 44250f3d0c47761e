"""The kinds of settings: how the text of a flag or a variable, or a value of offramp.yaml, becomes what the job uses.

One reader per kind, the same for all three layers, so that a mistake reads the same wherever it was made.
"""

import ipaddress
import math
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from connectors.secret_store import read_keys
from flows.inputs import Input, InputError, parse_capture, parse_events, parse_groups, parse_persons, parse_webhook
from records.hidden import StoreKeys

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Parsed = TypeVar("_Parsed")


class SettingsError(Exception):
    """A setting that cannot be used: one sentence saying which, where it was made, and what to write instead."""


class Place(msgspec.Struct, frozen=True):
    """Where a value was written: `label` for messages, `base` for relative paths."""

    label: str
    base: Path

    def error(self, message: str) -> SettingsError:
        """An error that begins with the place."""
        return SettingsError(f"{self.label}: {message}")


class Kind(msgspec.Struct, frozen=True):
    """How one kind of setting is read and how it looks in a help text."""

    read: Callable[[object, Place], object]
    metavar: str = ""
    check: Callable[[object, Place], None] | None = None
    """What must hold on this machine; only asked for settings that a command uses."""
    repeated: bool = False
    """A flag that can be given several times; a list in offramp.yaml."""
    switch: bool = False
    """A flag without a value."""


def whole_number(minimum: int) -> Kind:
    """An int, at least `minimum`."""

    def read(value: object, place: Place) -> int:
        text = str(value).strip()
        if isinstance(value, bool) or re.fullmatch(r"[+-]?[0-9]{1,18}", text) is None:
            raise place.error(f"expected a whole number, got {value!r}")
        if int(text) < minimum:
            raise place.error(f"must be {minimum} or more, got {int(text)}")
        return int(text)

    return Kind(read, "N")


def seconds(minimum: float) -> Kind:
    """A float, at least `minimum`."""

    def read(value: object, place: Place) -> float:
        number = _float(value)
        if number is None:
            raise place.error(f"expected a number of seconds, got {value!r}")
        if number < minimum:
            raise place.error(f"must be {minimum:g} or more seconds, got {number:g}")
        return number

    return Kind(read, "SECONDS")


def choice(*names: str) -> Kind:
    """One of some words."""

    def read(value: object, place: Place) -> str:
        if value not in names:
            raise place.error(f"expected {' or '.join(names)}, got {value!r}")
        return str(value)

    return Kind(read, "|".join(names))


def switch() -> Kind:
    """A bool."""
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

    def read(value: object, place: Place) -> bool:
        answer = words.get(str(value).strip().lower())
        if answer is None:
            raise place.error(f"expected true or false, got {value!r}")
        return answer

    return Kind(read, switch=True)


def file() -> Kind:
    """The absolute path of a file."""
    return Kind(_path, "FILE")


def directory(*, exists: bool) -> Kind:
    """The absolute path of a directory: one that exists, or one that can be made."""

    def check(value: object, place: Place) -> None:
        path = Path(str(value))
        try:
            is_directory = stat.S_ISDIR(path.stat().st_mode)
        except FileNotFoundError:
            if exists:
                raise place.error(f"{path}: no such directory; make it, or name another one") from None
        except OSError as error:
            raise place.error(f"{path}: {error.strerror}") from None
        else:
            if not is_directory:
                raise place.error(f"{path}: is not a directory")

    return Kind(_path, "DIR", check=check)


def text(metavar: str) -> Kind:
    """Any text."""
    return Kind(_text, metavar)


def names(metavar: str) -> Kind:
    """Several words; in text separated by commas or spaces."""

    def read(value: object, place: Place) -> tuple[str, ...]:
        return tuple(_texts(value, place, r"[;,\s]"))

    return Kind(read, metavar, repeated=True)


def address() -> Kind:
    """`HOST:PORT`; an IPv6 host stands in brackets."""

    def read(value: object, place: Place) -> tuple[str, int]:
        written = _text(value, place)
        host, _, port = written.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65_535:
            raise place.error(f"expected HOST:PORT such as 127.0.0.1:8020, got {written!r}")
        return host, int(port)

    return Kind(read, "HOST:PORT")


def url() -> Kind:
    """An http or https address without a slash at its end."""

    def read(value: object, place: Place) -> str:
        text = _text(value, place)
        try:
            parts = urlsplit(text)
        except ValueError:
            raise place.error(f"expected a URL such as https://offramp.example.com, got {text!r}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise place.error(f"expected a URL such as https://offramp.example.com, got {text!r}")
        return text.rstrip("/")

    return Kind(read, "URL")


def events() -> Kind:
    """Several inputs, no two of them the same."""

    def read(value: object, place: Place) -> tuple[Input, ...]:
        parsed: dict[str, Input] = {}
        for text in _texts(value, place, r"[;\n]"):
            one = _input(parse_events, text, place)
            if one.stream in parsed:
                raise place.error(_twice(one, parsed[one.stream]))
            parsed[one.stream] = one
        return tuple(parsed.values())

    return Kind(read, "INPUT", repeated=True)


def persons() -> Kind:
    """One pair of tables."""
    return _parsed(parse_persons, "PERSONS,DISTINCT_IDS")


def groups() -> Kind:
    """One table."""
    return _parsed(parse_groups, "INPUT")


def capture() -> Kind:
    """One topic or file to write to."""
    return _parsed(parse_capture, "OUTPUT")


def webhook() -> Kind:
    """An http or https address as it stands."""
    return _parsed(parse_webhook, "URL")


def _parsed(parse: Callable[[str, Path], object], metavar: str) -> Kind:
    return Kind(lambda value, place: _input(parse, _text(value, place), place), metavar)


def networks() -> Kind:
    """Several networks; in text also separated by commas or spaces, which no network contains."""

    def read(value: object, place: Place) -> tuple[Network, ...]:
        return tuple(_network(text, place) for text in _texts(value, place, r"[;,\s]"))

    return Kind(read, "CIDR", repeated=True)


def numbers_by_name() -> Kind:
    """`NAME=INDEX` several times, or a mapping in offramp.yaml."""

    def read(value: object, place: Place) -> dict[str, int]:
        if isinstance(value, Mapping):
            pairs = [(str(name), str(index)) for name, index in value.items()]
        else:
            texts = _texts(value, place, r"[;,\n]")
            pairs = [(name.strip(), index.strip()) for name, _, index in (text.partition("=") for text in texts)]
        found: dict[str, int] = {}
        for name, index in pairs:
            if not name or re.fullmatch("[0-4]", index) is None:
                raise place.error(f"expected NAME=INDEX with an index from 0 to 4, got {f'{name}={index}'!r}")
            if int(index) in found.values() and found.get(name) != int(index):
                raise place.error(f"two group types have the index {index}; each has its own")
            found[name] = int(index)
        return found

    return Kind(read, "NAME=INDEX", repeated=True)


def store_keys() -> Kind:
    """Keys of the store of secrets; a mistake in them is told without them."""

    def read(value: object, place: Place) -> StoreKeys:
        try:
            return read_keys(_text(value, place))
        except ValueError as error:
            raise place.error(str(error)) from None

    return Kind(read)


def client_settings() -> Kind:
    """librdkafka's own settings by their own names, values as text."""
    return Kind(read_client_settings)


def read_client_settings(value: object, place: Place) -> dict[str, str]:
    """A mapping of librdkafka settings, each value one text or number."""
    if not isinstance(value, Mapping):
        raise place.error("expected librdkafka settings, one 'name: value' per line")
    return {str(name): _client_value(str(name), one, place) for name, one in value.items()}


def _path(value: object, place: Place) -> Path:
    text = _text(value, place)
    try:
        return (place.base / text).resolve()
    except (OSError, ValueError, RuntimeError):
        raise place.error(f"{text!r} is not a path") from None


def _client_value(name: str, value: object, place: Place) -> str:
    if name == "bootstrap.servers":
        raise place.error(
            f"{name} is not set here; the servers stand in the address of each input, kafka://HOST:PORT/TOPIC"
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    # The value is not shown: a mapping under sasl holds a password.
    raise place.error(f"{name} must be one text or number; write dotted names, such as sasl.username: NAME")


def _network(text: str, place: Place) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        try:
            wider = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise place.error(f"{text!r} is not a network; write it like 10.0.0.0/8 or 127.0.0.1") from error
        raise place.error(f"{text!r} is an address within a network; write {wider}") from error


def _twice(one: Input, other: Input) -> str:
    if one == other:
        return f"the same input twice: {one.stream}"
    return f"{one.stream} on two clusters; positions are kept by topic, so run one job for each cluster"


def _input(parse: Callable[[str, Path], _Parsed], text: str, place: Place) -> _Parsed:
    try:
        return parse(text, place.base)
    except InputError as error:
        raise place.error(str(error)) from None


def _texts(value: object, place: Place, separators: str) -> list[str]:
    """The texts of a list, each of which may hold several; blank ones are left out."""
    several = value if isinstance(value, list | tuple) else [value]
    return [part.strip() for one in several for part in re.split(separators, _text(one, place)) if part.strip()]


def _text(value: object, place: Place) -> str:
    if not isinstance(value, str) or not value.strip():
        raise place.error(f"expected text, got {_described(value)}")
    return value.strip()


def _described(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    names = {dict: "a mapping", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), type(value).__name__)


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
