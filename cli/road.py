"""The road of an event through a destination, as commands print it; and the destination that is named."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cli.options import shown
from cli.output import fail, text

if TYPE_CHECKING:
    from rich.console import Console

    # What compiles destinations takes a while to import; --help should not wait for it.
    from destinations import Destination
    from destinations.explain import Clause, InputValue
    from flows.settings import Settings


def destination_of(id: str, settings: "Settings") -> "Destination":
    """The destination of that id; ends the command, with what is wrong, where there is none that can run."""
    import catalog
    from destinations import Secrets, load

    folder = Path(shown(settings.destinations))
    loaded = load(folder, Secrets(settings.secret, settings.secret.why_missing), catalog.builtin())
    if id not in loaded.destinations:
        problems = [str(problem) for problem in loaded.problems if problem.destination in (id, "")]
        there_are = ", ".join(sorted(loaded.destinations)) or "none"
        fail("\n".join(problems) or f"there is no destination '{id}' in {folder}; there are: {there_are}", 1)
    return loaded.destinations[id]


def show_clauses(out: "Console", clauses: "Iterable[Clause]") -> None:
    """Each with what it saw."""
    for clause in clauses:
        out.print(text(f"\n{'holds' if clause.holds else 'does not hold'}: {clause.text}"))
        for name, value in clause.reads.items():
            out.print(text(f"    {name} is {msgspec.json.encode(value).decode()}"))
        if clause.error:
            out.print(text(f"    {clause.error}"))


def show_inputs(out: "Console", inputs: "Iterable[InputValue]") -> None:
    """Each as rendered, or why it is not."""
    for one in inputs:
        out.print(text(f"\ninput {one.name}: {one.error or one.value}"))


def show_request(out: "Console", method: str, url: str, headers: Mapping[str, str], body: str) -> None:
    """As it goes over the wire."""
    out.print(text(f"\n{method} {url}"))
    for name, value in headers.items():
        out.print(text(f"{name}: {value}"))
    out.print(text(f"\n{body}"))
