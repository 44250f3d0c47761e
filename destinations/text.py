"""What a value reads as where text is needed: a header, a URL."""

from typing import Any

import hog
from destinations.errors import InputError


def text_of(value: Any, where: str) -> str:
    """As in a template, null being empty; raises InputError for a value that has no text, such as the year 30000."""
    try:
        return hog.to_text(value)
    except Exception as error:  # noqa: BLE001  # values come from events: whatever is odd in one fails this input alone
        raise InputError(where, f"the value cannot be written as text: {error}") from None
