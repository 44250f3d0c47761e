"""What a destination makes of an event: the one thing that it does, or one of its mappings."""

from collections.abc import Sequence

from destinations.code import CodeTemplate
from destinations.filter import Filter
from destinations.globals import EventView, invocation_needs
from destinations.inputs import Inputs
from destinations.request import RequestTemplate
from destinations.request_program import RequestProgram
from destinations.requirements import union

Work = RequestTemplate | RequestProgram | CodeTemplate


class Branch:
    """Its own filter behind the destination's, its own inputs, and the request or the program made of them."""

    def __init__(self, name: str, filter: Filter, inputs: Inputs, work: Work) -> None:
        """`name` is the mapping's; empty where the destination has none."""
        self.name = name
        self.filter = filter
        self.inputs = inputs
        self.work = work
        self.reads = inputs.chains | work.chains
        """Which globals it is made of."""
        self.needs = invocation_needs(self.reads)
        if isinstance(work, CodeTemplate):
            # An event that the program captures counts how often it has come by.
            self.needs |= {"event.properties"}

    def matches(self, view: EventView) -> bool:
        """Whether an event that the destination takes is for this branch. Raises HogRuntimeError or EventDataError."""
        return self.filter.matches(view)


def event_names(filter: Filter, branches: Sequence[Branch]) -> frozenset[str] | None:
    """The event names that pass the filter and one of the branches; None if any can."""
    of_branches = union(branch.filter.event_names for branch in branches)
    if filter.event_names is None or of_branches is None:
        return of_branches if filter.event_names is None else filter.event_names
    return filter.event_names & of_branches
