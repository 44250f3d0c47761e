"""Text as SQLite can keep it."""


def clean(text: str) -> str:
    """Half a surrogate pair, which an event may bring, is no text for SQLite and would stop every later write."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
