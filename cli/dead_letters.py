"""`offramp dead-letters`: messages of the inputs that could not be decoded."""

import base64
from typing import Annotated

import msgspec
import typer

from cli.options import JsonOption, StateOption, open_journal
from cli.output import console, moment, text
from connectors.journal import StoredDeadLetter


def dead_letters(
    lines: Annotated[int, typer.Option("-n", min=1, metavar="N", help="How many, the newest first.")] = 20,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the messages that could not be decoded. Where each is in its log and why; as JSON also its bytes."""
    with open_journal(state) as journal:
        found, count = journal.dead_letters(limit=lines), journal.count_dead_letters()
    if as_json:
        typer.echo(msgspec.json.encode([_object(letter) for letter in found]).decode())
        return
    out = console()
    for letter in found:
        position = f"{letter.stream}/{letter.partition}:{letter.offset}"
        out.print(text(f"{moment(letter.at)}  {position}  {letter.size} bytes  {letter.reason}"))
    out.print(f"{count} in all, {len(found)} shown." if count else "No message was undecodable.")


def _object(letter: StoredDeadLetter) -> dict[str, object]:
    """`value` is text; `value_base64` stands in its place for bytes that are no UTF-8."""
    fields = {name: getattr(letter, name) for name in letter.__struct_fields__ if name != "value"}
    try:
        return fields | {"value": letter.value.decode()}
    except UnicodeDecodeError:
        return fields | {"value_base64": base64.b64encode(letter.value).decode()}
