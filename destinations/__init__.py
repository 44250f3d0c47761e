"""What a destination is: its file compiled into a filter and a request, and the index over all of them."""

from catalog.problem import Problem
from destinations.answer import answer_of
from destinations.branch import Branch
from destinations.candidates import Candidates
from destinations.destination import Destination
from destinations.errors import EventDataError, InputError
from destinations.filter import Filter
from destinations.globals import EventView
from destinations.index import Index
from destinations.loading import Loaded, load, load_project
from destinations.secrets import Secrets
from destinations.site import Site
from destinations.watched import Changes, Watched

__all__ = [
    "Branch",
    "Candidates",
    "Changes",
    "Destination",
    "EventDataError",
    "EventView",
    "Filter",
    "Index",
    "InputError",
    "Loaded",
    "Problem",
    "Secrets",
    "Site",
    "Watched",
    "answer_of",
    "load",
    "load_project",
]
