"""A compiled destination: what it wants, and the request or the program it makes of an event. It sends nothing."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

from destinations.code import CodeTemplate
from destinations.errors import EventDataError, InputError
from destinations.filter import Filter
from destinations.globals import EventView, invocation_needs
from destinations.inputs import Inputs
from destinations.notify import Notify
from destinations.request import RequestTemplate
from destinations.sample import Sample
from destinations.secrets import Redactor
from destinations.site import Site
from destinations.spec import DestinationSpec
from records import Code, Event, Policy, Request


class Destination:
    """One destination. It never changes: a changed file makes a new one."""

    def __init__(
        self,
        spec: DestinationSpec,
        filter: Filter,
        inputs: Inputs,
        work: RequestTemplate | CodeTemplate,
        policy: Policy,
        secrets: Mapping[str, str],
        masked: Iterable[str] = (),
        notify: Notify | None = None,
        sample: Sample | None = None,
    ) -> None:
        """`work` is made of each event; `secrets` are the values of those that the templates use, by name.

        `masked` is what else must not show.
        """
        self.spec = spec
        self.id = spec.id
        self.name = spec.name or spec.id
        self.enabled = spec.enabled
        self.project = spec.project
        self.filter = filter
        self.policy = policy
        self.notify = notify
        self.sample = sample
        self._inputs = inputs
        self._work = work
        self.reads = inputs.chains | work.chains
        """Which globals its requests are made of."""
        self._needs = invocation_needs(self.reads)
        if isinstance(work, CodeTemplate):
            # An event that the program captures counts how often it has come by.
            self._needs |= {"event.properties"}
        self._secrets = dict(secrets)
        self.secret_names = frozenset(self._secrets)
        self._redactor = Redactor((*self._secrets.values(), *masked))

    def __repr__(self) -> str:
        """The id alone: what else is in here may hold secrets."""
        return f"Destination({self.id!r})"

    def url(self, site: Site, project: int) -> str:
        """Where people look at it and change it."""
        return f"{site.project(project).url}/functions/{self.id}/configuration/"

    def invocation_id(self, event: Event) -> str:
        """The same for the same event on every attempt, resend and replay."""
        parts = f"{self.id}\n{event.project}\n{event.uuid}"
        return f"msg_{hashlib.sha256(parts.encode('utf-8', 'replace')).hexdigest()[:32]}"

    def matches(self, view: EventView) -> bool:
        """Whether the event is for this destination. Raises HogRuntimeError or EventDataError."""
        if self.project not in (None, view.event.project) or not self.filter.matches(view):
            return False
        return self.sample is None or self.sample.keeps(view)

    def wants_event(self, view: EventView) -> bool:
        """Whether it can be, judged by the event alone: a generous answer, for nothing is raised."""
        return self.filter.wants_event(view) and (self.sample is None or self.sample.wants_event(view))

    def render(self, view: EventView) -> Request | Code:
        """The request or the program for one event; raises InputError, whose text is free of secrets."""
        try:
            globals = self._globals(view)
            self._inputs.render_into(globals)
            return self._work.render(globals)
        except InputError as error:
            raise InputError(error.where, self.redact(error.message)) from None
        except EventDataError as error:
            raise InputError("event", self.redact(str(error))) from None
        except Exception as error:  # noqa: BLE001 - what reaches the engine kills the worker, at every restart again
            text = f"the request cannot be made of it: {type(error).__name__}: {error}"
            raise InputError("event", self.redact(text)) from None

    def inputs_one_by_one(self, view: EventView) -> Iterator[tuple[str, Any, str]]:
        """Each input with its value, or null and why it cannot be rendered; both may hold secrets."""
        try:
            yield from self._inputs.one_by_one(self._globals(view))
        except EventDataError as error:
            yield "", None, f"the event cannot be read: {error}"

    def _globals(self, view: EventView) -> dict[str, Any]:
        globals = dict(view.invocation(self._needs))
        globals["source"] = {"name": self.name, "url": self.url(view.site, view.event.project)}
        globals["secrets"] = self._secrets
        return globals

    @overload
    def redact(self, text: str) -> str: ...
    @overload
    def redact(self, text: bytes) -> bytes: ...
    def redact(self, text: str | bytes) -> str | bytes:
        """The text with `***` for every secret that this destination uses."""
        return self._redactor(text)
