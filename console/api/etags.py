"""ETags of destination files: by them nobody overwrites what somebody else has written meanwhile, be it by hand."""

import hashlib
from typing import Annotated

from fastapi import Header, HTTPException

from connectors.config_history import Version

IfMatch = Annotated[
    str | None, Header(max_length=1000, description="The ETag of the version that it was made from; `*` is any.")
]
IfNoneMatch = Annotated[str | None, Header(max_length=1000, description="`*`: there must be none yet.")]


def etag_of(version: Version) -> str:
    """The number alone would do, were it not that a history can be deleted, and then counts from 1 again."""
    text = (version.text or "").encode("utf-8", "surrogateescape")
    return f'"{version.number}-{hashlib.sha256(text).hexdigest()[:32]}"'


def is_there(version: Version | None) -> bool:
    """Whether there is a file."""
    return version is not None and version.text is not None


def expected(current: Version | None, if_match: str | None, if_none_match: str | None = None) -> int:
    """The number of the version that is to be replaced, for `Drafts`, which looks again under its lock.

    Raises HTTPException: 412 where the conditions do not hold, with the present ETag; 428 where there are none.
    """
    if if_match is None and (if_none_match is None or if_none_match.strip() != "*"):
        raise HTTPException(428, "say what it replaces: `If-Match` with the file's ETag, or `If-None-Match: *`")
    if if_match is not None:
        wanted = {tag.strip() for tag in if_match.split(",")}
        if current is None or current.text is None or not wanted & {"*", etag_of(current)}:
            raise conflict(current)
    if if_none_match is not None and is_there(current):
        raise conflict(current)
    return 0 if current is None else current.number


def conflict(current: Version | None) -> HTTPException:
    """Somebody was faster."""
    if current is None or current.text is None:
        return HTTPException(412, "there is no such file, or not any more")
    told = f"it is version {current.number} now, by {current.author or 'somebody'}"
    return HTTPException(412, told, {"ETag": etag_of(current)})


def shown_text(version: Version | None) -> str:
    """The text as JSON can have it: U+FFFD for what is not UTF-8; empty where there is no file."""
    text = "" if version is None or version.text is None else version.text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
