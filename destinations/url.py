"""URLs: what is put into a template is percent-encoded where it stands, and the result is checked.

A value cannot leave its place: in the host part only host characters are let through, in the path and the query
everything else is encoded. A URL that is one single expression is taken as it is, and only checked.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

import hog
from destinations.errors import InputError
from destinations.site import encode_component
from destinations.text import text_of
from hog import nodes

_WHOLE = re.compile(r"(https?)://([^/?#\\]*)([/?#].*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:[^@]*@)?((?:[A-Za-z0-9._-]+)|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_HOST_CHARACTERS = re.compile(r"[A-Za-z0-9._-]*")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f]")
_TO_ENCODE = re.compile(r'[^\x21-\x7e]|["<>\\`]')
_END_OF_HOST = re.compile(r"[/?#\\]")


class Region(Enum):
    """The part of a URL that a piece stands in."""

    START = auto()
    """Nothing stands before it."""
    HOST = auto()
    """Anywhere before the first `/`, `?` or `#` behind the scheme."""
    PATH = auto()
    QUERY = auto()
    """The query or the fragment."""


class _Piece(NamedTuple):
    program: hog.Program
    region: Region | None
    """None where it depends on the value that the URL begins with."""
    encoded: bool
    """The expression is a call of encodeURLComponent."""


class UrlTemplate:
    """A compiled URL with its expressions."""

    def __init__(self, parts: list[str | hog.Program], where: str) -> None:
        """`parts` is what `hog.template_parts` made of the text, which has no blanks around it."""
        self.where = where
        self._pieces: list[str | _Piece] = []
        region: Region | None = Region.START
        for part in parts:
            if isinstance(part, str):
                region = region and _after(region, part)
                self._pieces.append(part.replace(" ", "%20"))
            else:
                self._pieces.append(_Piece(part, region, _encodes_itself(part.expression)))
                region = None if region is Region.START else region

    @property
    def programs(self) -> list[hog.Program]:
        """The expressions in order."""
        return [piece.program for piece in self._pieces if isinstance(piece, _Piece)]

    def render(self, globals: Mapping[str, Any]) -> str:
        """The URL as text, not yet checked as a whole; raises InputError or HogRuntimeError."""
        url = ""
        for piece in self._pieces:
            if isinstance(piece, str):
                url += piece
                continue
            value = piece.program(globals)
            region = piece.region or _after(Region.START, url)
            url += self._fitted(text_of(value, self.where), region, piece)
        return url

    def _fitted(self, text: str, region: Region, piece: _Piece) -> str:
        """The value in the form that its place allows."""
        if region is Region.START:
            return text
        if region is Region.HOST:
            if not _HOST_CHARACTERS.fullmatch(text):
                raise InputError(
                    self.where,
                    f"the value of {_written(piece.program)} stands in the host and has a character that no host has; "
                    "put '/' before it if it belongs to the path",
                )
            return text
        if region is Region.PATH and text in (".", ".."):
            raise InputError(self.where, f"the value '{text}' of {_written(piece.program)} would change the path")
        return text if piece.encoded else encode_component(text)


def checked_url(value: Any, where: str) -> str:
    """The URL in the form that is sent; raises InputError unless it is http(s) with a host."""
    text = text_of(value, where).strip(" ").replace(" ", "%20")
    if not text:
        raise InputError(where, "the URL is empty")
    if _FORBIDDEN.search(text):
        raise InputError(where, f"the URL {_shown(text)} has a space or a control character")
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        raise InputError(where, f"{_shown(text)} is not an http:// or https:// URL")
    scheme, authority, rest = whole.groups()
    if not authority.isascii():
        authority = _ascii_authority(authority, where)
    if not _AUTHORITY.fullmatch(authority):
        raise InputError(where, f"the URL {_shown(text)} has no valid host")
    return f"{scheme}://{authority}{_TO_ENCODE.sub(_encode, rest or '')}"


def _after(region: Region, literal: str) -> Region:
    """The region behind a literal that begins in `region`."""
    if region in (Region.START, Region.HOST):
        _, scheme, behind = literal.partition("://")
        end = _END_OF_HOST.search(behind if scheme else literal)
        if end is None:
            return Region.HOST
        region = Region.PATH
    return Region.QUERY if "?" in literal or "#" in literal else region


def _encodes_itself(node: nodes.Expr) -> bool:
    """Whether all that it can give is encoded already, be it on both sides of a `??` or a `? :`."""
    match node:
        case nodes.Call(name="encodeURLComponent"):
            return True
        case nodes.Call(name="ifNull", args=[value, default]):
            return _encodes_itself(value) and _encodes_itself(default)
        case nodes.Call(name="if", args=[_, then, otherwise]):
            return _encodes_itself(then) and _encodes_itself(otherwise)
        case nodes.Constant(value=None):
            return True
        case nodes.Constant(value=str(text)):
            return encode_component(text) == text
    return False


def _written(program: hog.Program) -> str:
    """The expression as it stands in the template."""
    return f"{{{program.written}}}"


def _encode(match: re.Match[str]) -> str:
    return encode_component(match[0])


def _ascii_authority(authority: str, where: str) -> str:
    try:
        return authority.encode("idna").decode()
    except UnicodeError:
        raise InputError(where, f"{_shown(authority)} is not a valid host name") from None


def _shown(text: str) -> str:
    # Neither cut nor escaped: a secret in it would no longer be recognised by what masks it.
    return f"'{text}'"
