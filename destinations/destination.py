"""A compiled destination: what it wants, and the request or the program it makes of an event. It sends nothing."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, overload

from destinations.branch import Branch, event_names
from destinations.errors import EventDataError, InputError
from destinations.filter import Filter
from destinations.globals import EventView
from destinations.masking import Masking
from destinations.notify import Notify
from destinations.requirements import requirement_of_any
from destinations.sample import Sample
from destinations.secrets import Redactor
from destinations.site import Site
from destinations.spec import DestinationSpec
from records import Cap, Code, Event, Policy, Request, Source


class Destination:
    """One destination. It never changes: a changed file makes a new one."""

    def __init__(
        self,
        spec: DestinationSpec,
        filter: Filter,
        branches: Iterable[Branch],
        policy: Policy,
        secrets: Mapping[str, str],
        masked: Iterable[str] = (),
        notify: Notify | None = None,
        sample: Sample | None = None,
        masking: Masking | None = None,
    ) -> None:
        """`branches` are what is made of each event; `secrets` the values of those that the templates use, by name.

        `masked` is what else must not show.
        """
        self.spec = spec
        self.id = spec.id
        self.name = spec.name or spec.id
        self.enabled = spec.enabled
        self.project = spec.project
        updates = spec.filters.source == Source.PERSON_UPDATES
        self.source = Source.PERSON_UPDATES if updates else Source.EVENTS
        self.filter = filter
        """Of all of it; each branch has its own behind it."""
        self.branches = tuple(branches)
        """One without a name, or the mappings that are enabled."""
        self.reads = frozenset(chain for branch in self.branches for chain in branch.reads)
        """Which globals its requests are made of."""
        self.event_names = event_names(filter, self.branches)
        """Only these can match; None if any can."""
        self.requirement = filter.requirement or requirement_of_any(one.filter.requirement for one in self.branches)
        """Only events with such a property can match; None if any can."""
        self.policy = policy
        self.notify = notify
        self.sample = sample
        self.masking = masking
        self._secrets = dict(secrets)
        # The tokens themselves take the places of these when a request leaves.
        self._connections = {each.name: {"access_token": each.marker} for each in policy.connections}
        self.secret_names = frozenset(self._secrets)
        self._redactor = Redactor((*self._secrets.values(), *masked))

    def __repr__(self) -> str:
        """The id alone: what else is in here may hold secrets."""
        return f"Destination({self.id!r})"

    def url(self, site: Site, project: int) -> str:
        """Where people look at it and change it."""
        return f"{site.project(project).url}/functions/{self.id}/configuration/"

    def invocation_id(self, event: Event, mapping: str = "") -> str:
        """The same for the same event and mapping on every attempt, resend and replay."""
        parts = f"{self.id}\n{event.project}\n{event.uuid}" + (f"\n{mapping}" if mapping else "")
        return f"msg_{hashlib.sha256(parts.encode('utf-8', 'replace')).hexdigest()[:32]}"

    def matches(self, view: EventView) -> bool:
        """Whether the event is for this destination, before its branches and its sample are asked.

        Raises HogRuntimeError or EventDataError.
        """
        event = view.event
        if self.source is not event.source or self.project not in (None, event.project):
            return False
        return self.filter.matches(view)

    def wants_event(self, view: EventView, row: Mapping[str, Any] | None = None) -> bool:
        """Whether it and one of its branches can match, judged by the event alone: a generous answer, for nothing is
        raised.

        `row` as in `Filter.wants_event`, for all of its filters.
        """
        if not self.filter.wants_event(view, row):
            return False
        # A loop, because `any` of a generator costs three times as much.
        for branch in self.branches:  # noqa: SIM110
            if branch.filter.wants_event(view, row):
                return True
        return False

    def samples(self, view: EventView) -> bool:
        """Whether an event that matches is in the sample. Raises HogRuntimeError or EventDataError."""
        return self.sample is None or self.sample.keeps(view)

    def branches_for(self, mapping: str) -> tuple[Branch, ...]:
        """What may be made of an event; with a name, only the mapping of that name, if there is one."""
        return tuple(branch for branch in self.branches if branch.name == mapping) if mapping else self.branches

    def render(self, view: EventView, branch: Branch | None = None) -> Request | Code | None:
        """The request or the program that a branch, if need be the first, makes of one event; None for nothing.

        Raises InputError, whose text is free of secrets.
        """
        branch = branch or self.branches[0]
        try:
            globals = self._globals(view, branch.needs)
            branch.inputs.render_into(globals)
            return branch.work.render(globals)
        except Exception as error:  # noqa: BLE001 - what reaches the engine kills the worker, at every restart again
            raise self._told(error, "the request") from None

    def render_telling(
        self, view: EventView, branch: Branch, tell: Callable[[str, Any, str], None]
    ) -> Request | Code | None:
        """As `render`, but of each input its name is told, and its value or why it has none; both may hold secrets."""
        failed: InputError | None = None
        try:
            globals = self._globals(view, branch.needs)
            for name, value, error in branch.inputs.one_by_one(globals):
                tell(name, value, "" if error is None else error.message)
                failed = failed or error
            if failed is None:
                return branch.work.render(globals)
        except Exception as error:  # noqa: BLE001 - as in `render`
            raise self._told(error, "the request") from None
        raise self._told(failed, "the request")

    def cap(self, view: EventView) -> Cap | None:
        """What the event counts against; None where it is not held back. Raises InputError, free of secrets."""
        if self.masking is None:
            return None
        try:
            return self.masking.cap(self.cap_key(view))
        except Exception as error:  # noqa: BLE001 - as in `render`
            raise self._told(error, "the key") from None

    def cap_key(self, view: EventView) -> Any:
        """By what the event is told apart from others, where it is; it may hold secrets. Raises InputError, without."""
        if self.masking is None:
            return None
        try:
            return self.masking.key(self._globals(view, self.masking.needs))
        except Exception as error:  # noqa: BLE001 - as in `render`
            raise self._told(error, "the key") from None

    def _told(self, error: Exception, what: str) -> InputError:
        """Why something cannot be made of an event, free of secrets."""
        if isinstance(error, InputError):
            return InputError(error.where, self.redact(error.message))
        if isinstance(error, EventDataError):
            return InputError("event", self.redact(str(error)))
        return InputError("event", self.redact(f"{what} cannot be made of it: {type(error).__name__}: {error}"))

    def _globals(self, view: EventView, needs: frozenset[str]) -> dict[str, Any]:
        globals = dict(view.invocation(needs))
        globals["source"] = {"name": self.name, "url": self.url(view.site, view.event.project)}
        globals["secrets"] = self._secrets
        globals["connections"] = self._connections
        return globals

    @overload
    def redact(self, text: str) -> str: ...
    @overload
    def redact(self, text: bytes) -> bytes: ...
    def redact(self, text: str | bytes) -> str | bytes:
        """The text with `***` for every secret that this destination uses."""
        return self._redactor(text)
