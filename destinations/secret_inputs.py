"""Inputs marked as secret: none stands in the file as it is, and what is made of secrets is masked like them."""

from collections.abc import Iterator, Mapping

from catalog.yaml_file import Steps
from destinations.errors import InputError
from destinations.report import Report
from destinations.text import text_of
from destinations.values import Constant, Entries, Extended, Items, LiquidText, Value

LITERAL = "a secret must not stand in the file, which others read: write '{secrets.NAME}'"


def check_secret(value: Value, path: Steps, report: Report) -> None:
    """Report a value that is the same for everybody who reads the file."""
    is_constant = isinstance(value, LiquidText) and not value.chains
    if is_constant or (isinstance(value, Constant) and value.value not in (None, "")):
        report.at_key(path, LITERAL)


def derived_secrets(value: Value, secrets: Mapping[str, str]) -> Iterator[str]:
    """The texts that the value makes of secrets alone, such as a base64 of two of them or a hash."""
    match value:
        case Constant():
            return
        case Entries():
            for _, item in value.entries:
                yield from derived_secrets(item, secrets)
        case Extended():
            yield from derived_secrets(value.own, secrets)
        case Items():
            for item in value.items:
                yield from derived_secrets(item, secrets)
        case _ if value.chains and all(chain[0] == "secrets" for chain in value.chains):
            try:
                yield text_of(value.render({"secrets": secrets}), "")
            except InputError:
                return  # It has no text now, so none can show later.
