"""Takes a share of what matches, so that the same person is always in or always out."""

from typing import Final

import hog
from destinations.errors import EventDataError, InputError
from destinations.expressions import compile_row_expression
from destinations.globals import EVENT_ROOTS, EventView, row_needs
from destinations.hashing import hash_of
from destinations.report import Report
from destinations.spec import DestinationSpec, SampleSpec

_ALL: Final = 1 << 64


class Sample:
    """Who is in depends on the text of `by` alone, by default the distinct id.

    It is the same in every destination and on every machine, and whoever is in stays in when the share grows.
    """

    def __init__(self, share: float, by: hog.Program | None = None) -> None:
        """`by` is an expression compiled with the names of filters; where it is null the distinct id counts."""
        self.share = share
        self._by = by
        self._needs = row_needs(by.chains) if by else frozenset()
        self._of_event = by is None or by.roots <= EVENT_ROOTS

    def wants_event(self, view: EventView) -> bool:
        """Whether the event can be in, judged by the event alone. What cannot be judged counts as wanted."""
        if not self._of_event:
            return True
        try:
            return self.keeps(view)
        except (hog.HogRuntimeError, ValueError):
            return True

    def keeps(self, view: EventView) -> bool:
        """Whether the event is in. Raises HogRuntimeError or EventDataError."""
        value = None if self._by is None else self._by(view.row(self._needs))
        try:
            found = hash_of(view.event.distinct_id if value is None else value, "sample.by")
        except InputError as error:
            raise EventDataError(str(error)) from None
        return found < self.share * _ALL


def compile_sample(spec: DestinationSpec, report: Report) -> Sample | None:
    """None where everything is wanted; what is wrong goes to the report."""
    sample = spec.sample
    if sample is None:
        return None
    if not isinstance(sample, SampleSpec):
        return Sample(sample)
    if sample.by is None:
        return Sample(sample.share)
    return Sample(sample.share, compile_row_expression(sample.by, ("sample", "by"), report))
