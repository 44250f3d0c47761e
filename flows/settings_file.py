"""Reads offramp.yaml into plain values, each with the line and column it stands on.

Decides nothing about the values; that is the same for all layers.
"""

from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from flows.setting_kinds import Place, SettingsError

MAX_BYTES = 1 << 20


class Written(msgspec.Struct, frozen=True):
    """One key of the file."""

    key: str
    value: object
    place: Place


def read_file(file: Path, shown: str) -> list[Written]:
    """The keys of the file in order. `shown` is the path as the user wrote it, for messages."""
    document = _document(_text(file, shown), shown)
    if document is None:
        return []
    if not isinstance(document, CommentedMap):
        raise SettingsError(f"{shown}: expected settings, one 'name: value' per line")
    return [Written(str(key), value, _place(document, key, file, shown)) for key, value in document.items()]


def _place(document: CommentedMap, key: object, file: Path, shown: str) -> Place:
    line, column = document.lc.key(key)
    return Place(f"{shown}: {key} ({line + 1},{column + 1})", file.parent)


def _text(file: Path, shown: str) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise SettingsError(f"{shown}: larger than 1 MiB; this is no file of settings")
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"{shown}: no such file") from None
    except OSError as error:
        raise SettingsError(f"{shown}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{shown}: not UTF-8 text (byte {error.start})") from None


def _document(text: str, shown: str) -> object:
    try:
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        # Only the reason and the place: the library's own text quotes the line, which may hold a password.
        mark = error.problem_mark
        at = f" ({mark.line + 1},{mark.column + 1})" if mark is not None else ""
        reason = str(error.problem).split(" with value")[0]
        raise SettingsError(f"{shown}:{at} {reason}") from None
    except YAMLError as error:
        raise SettingsError(f"{shown}: {str(error).splitlines()[0]}") from None
