"""What `offramp import` says of each function, for people and for programs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cli.output import console, text

if TYPE_CHECKING:
    from cli.import_check import Tried
    from destinations.posthog import Imported

WHOLE, DIFFERENT, REFUSED = "whole", "with differences", "not"


class Line(msgspec.Struct, frozen=True):
    """One function."""

    name: str
    carried: str
    """`whole`, `with differences` or `not`."""
    file: str = ""
    written: bool = False
    why_not_written: str = ""
    because: str = ""
    differences: list[str] = []
    secrets: list[str] = []
    """Those that have to be set."""
    check: "list[Tried]" = []


def line_of(imported: "Imported", file: str, lacks: Sequence[str]) -> Line:
    """The line before anything is written; `lacks` is what project.yaml does not have."""
    if imported.because:
        return Line(imported.name, REFUSED, because=imported.because)
    differences = [f"needs in project.yaml: {', '.join(lacks)}"] if lacks else []
    differences += imported.differences
    carried = DIFFERENT if differences else WHOLE
    return Line(imported.name, carried, file, differences=differences, secrets=list(imported.secrets))


def show(lines: Sequence[Line], notes: Sequence[str]) -> None:
    """Print the report."""
    out = console()
    for line in lines:
        for each in _texts(line):
            out.print(text(each))
    for note in notes:
        out.print(text(note))
    secrets = [name for line in lines for name in line.secrets]
    if secrets:
        out.print(text(f"secrets to set: {', '.join(secrets)}"))
    out.print(text(_summary(lines)))


def _texts(line: Line) -> list[str]:
    if line.carried == REFUSED:
        return [f"'{line.name}' cannot be carried over, because {line.because}"]
    carried = "carried over whole" if line.carried == WHOLE else "carried over with these differences:"
    texts = [f"{line.file}: '{line.name}' is {carried}", *(f"  - {difference}" for difference in line.differences)]
    if line.why_not_written:
        texts.append(f"  not written: {line.why_not_written}")
    for tried in line.check:
        texts += [f"  {each}" for each in tried.texts()]
    return texts


def _summary(lines: Sequence[Line]) -> str:
    """`3 functions: 1 whole, 1 with differences, 1 not carried over; 2 files written`."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.carried] = counts.get(line.carried, 0) + 1
    words = {WHOLE: "whole", DIFFERENT: "with differences", REFUSED: "not carried over"}
    parts = ", ".join(f"{counts[key]} {word}" for key, word in words.items() if key in counts)
    functions = "1 function" if len(lines) == 1 else f"{len(lines)} functions"
    written = sum(line.written for line in lines)
    files = "1 file" if written == 1 else f"{written} files"
    return f"{functions}: {parts or 'none'}; {files} written"


def as_json(lines: Sequence[Line], notes: Sequence[str]) -> str:
    """The same as JSON."""
    report: dict[str, Any] = {"functions": lines, "notes": notes}
    return msgspec.json.encode(report).decode()
