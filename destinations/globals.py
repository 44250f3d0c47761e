"""What filters and templates see of one event: two objects, built only as far as a program reads them.

Filters see the event's *row*, templates the *invocation globals*. Every JSON field is parsed at most once per event,
whatever the number of destinations. Which person an event has is decided before: `Event.person` is taken as it is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from destinations import elements
from destinations.errors import EventDataError
from destinations.groups import EventGroup, groups_of
from destinations.site import DISPLAY_NAMES, Site, encode_component
from hog import json_text
from records import Event, Person, Source

Chains = Collection[tuple[str, ...]]

ELEMENT_ROOTS = frozenset({"elements_chain", *(f"elements_chain_{name}" for name in elements.COLUMNS)})
EVENT_ROOTS = ELEMENT_ROOTS | {"event", "uuid", "timestamp", "distinct_id", "properties"}
"""Roots of the row that are known before the person and the groups are."""
GROUP_ROOTS = frozenset(f"{prefix}{index}" for prefix in ("$group_", "group_") for index in range(5))
FILTER_ROOTS = EVENT_ROOTS | GROUP_ROOTS | {"person", "pdi"}
TEMPLATE_ROOTS = frozenset({"event", "person", "groups", "project", "source", "inputs", "secrets", "connections"})


def row_needs(chains: Chains) -> frozenset[str]:
    """The parts of the row that somebody who reads these chains needs; the cheap columns are always there."""
    needs: set[str] = set()
    for root, *rest in chains:
        if root in GROUP_ROOTS:
            needs.add("groups")
        elif root == "pdi":
            needs |= {"person", "person.link"}
            rest = rest[1:] if rest[:1] == ["person"] else rest
            if not rest or rest[0] == "properties":
                needs.add("person.properties")
        elif root == "person":
            needs |= {"person", "person.properties"} if not rest or rest[0] == "properties" else {"person"}
        elif root in ELEMENT_ROOTS:
            needs |= {"elements_chain", "elements_chain.parts"} if root != "elements_chain" else {root}
        elif root in _FILL_ROW:
            needs.add(root)
    return frozenset(needs)


def invocation_needs(chains: Chains) -> frozenset[str]:
    """The parts of the invocation globals that somebody who reads these chains needs."""
    needs: set[str] = set()
    for root, *rest in chains:
        fields = _INVOCATION_FIELDS.get(root, {})
        if root == "groups":
            needs.add("groups")
        elif not rest:
            needs.update(fields.values())
        elif rest[0] in fields:
            needs.add(fields[rest[0]])
    return frozenset(needs)


class EventView:
    """One event as programs see it. What has been built once is shared, so nobody may change it."""

    __slots__ = (
        "_groups",
        "_invocation",
        "_invocation_has",
        "_person_properties",
        "_properties",
        "_row",
        "_row_has",
        "event",
        "site",
    )

    def __init__(self, event: Event, site: Site) -> None:
        """Nothing is parsed yet."""
        self.event = event
        self.site = site
        self._properties: dict[str, Any] | None = None
        self._person_properties: dict[str, Any] | None = None
        self._groups: list[EventGroup] | None = None
        self._row: dict[str, Any] | None = None
        self._row_has: set[str] = set()
        self._invocation: dict[str, Any] | None = None
        self._invocation_has: set[str] = set()

    def row(self, needs: frozenset[str]) -> dict[str, Any]:
        """The row for filters, with at least the parts that `needs` names; raises EventDataError."""
        if self._row is None:
            self._row = self.columns()
        if not needs <= self._row_has:
            for need in sorted(needs - self._row_has):
                _FILL_ROW[need](self, self._row)
            self._row_has |= needs
        return self._row

    def columns(self) -> dict[str, Any]:
        """A new row with what is there without parsing anything."""
        event = self.event
        return {
            "event": event.event,
            "uuid": event.uuid,
            "timestamp": event.timestamp,
            "distinct_id": event.distinct_id,
        }

    def invocation(self, needs: frozenset[str]) -> dict[str, Any]:
        """The globals for templates but for `source`, `inputs` and `secrets`; raises EventDataError."""
        if self._invocation is None:
            self._invocation = self._new_invocation()
        if not needs <= self._invocation_has:
            for need in needs - self._invocation_has:
                _FILL_INVOCATION[need](self, self._invocation)
            self._invocation_has |= needs
        return self._invocation

    @property
    def properties(self) -> dict[str, Any]:
        """The event's properties, parsed."""
        if self._properties is None:
            self._properties = _object(self.event.properties, "the event's properties")
        return self._properties

    @property
    def person_properties(self) -> dict[str, Any]:
        """The person's properties, parsed; empty without a person."""
        if self._person_properties is None:
            person = self.event.person
            self._person_properties = _object(person.properties, "the person's properties") if person else {}
        return self._person_properties

    @property
    def elements_chain(self) -> str:
        """The column, or the property of old senders where the column is empty."""
        return self.event.elements_chain or self.properties.get("$elements_chain") or ""

    @property
    def groups(self) -> list[EventGroup]:
        """The groups of the event, their properties still raw."""
        if self._groups is None:
            self._groups = groups_of(self.event, self.properties, self.site.group_types)
        return self._groups

    def _new_invocation(self) -> dict[str, Any]:
        event = self.event
        # Every key has its place from the start: the order of keys in a body must not depend on who reads first.
        return {
            "project": self.site.project(event.project).globals,
            "event": {
                "uuid": event.uuid,
                "event": event.event,
                "distinct_id": event.distinct_id,
                "properties": None,
                "elements_chain": None,
                "timestamp": event.timestamp,
                "captured_at": event.captured_at,
                "url": None,
            },
            "person": event.person and _new_person(event.person, event.distinct_id),
            "groups": None,
        }


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        value = json_text.loads(raw) if raw else {}
    except json_text.JsonError as error:
        raise EventDataError(f"{what} are not JSON: {error}") from None
    if not isinstance(value, dict):
        raise EventDataError(f"{what} are not a JSON object")
    return value


def _new_person(person: Person, distinct_id: str) -> dict[str, Any]:
    return {"id": person.id, "properties": None, "name": None, "url": None, "distinct_id": distinct_id}


def _fill_row_person(view: EventView, row: dict[str, Any]) -> None:
    person = view.event.person
    row["person"] = person and {"id": person.id, "properties": None}


def _fill_row_person_properties(view: EventView, row: dict[str, Any]) -> None:
    if row["person"]:
        row["person"]["properties"] = view.person_properties


def _fill_row_person_link(view: EventView, row: dict[str, Any]) -> None:
    person = row["person"]
    row["pdi"] = person and {"distinct_id": view.event.distinct_id, "person_id": person["id"], "person": person}


def _fill_row_groups(view: EventView, row: dict[str, Any]) -> None:
    for index in range(5):
        row[f"$group_{index}"] = None
        row[f"group_{index}"] = {"properties": {}}
    for group in view.groups:
        if group.index is not None:
            row[f"$group_{group.index}"] = group.key
            row[f"group_{group.index}"] = {"properties": _group_properties(group)}


def _fill_row_properties(view: EventView, row: dict[str, Any]) -> None:
    row["properties"] = view.properties


def _fill_row_elements_chain(view: EventView, row: dict[str, Any]) -> None:
    row["elements_chain"] = view.elements_chain


def _fill_row_elements(view: EventView, row: dict[str, Any]) -> None:
    chain = elements.parsed(view.elements_chain)
    row |= {f"elements_chain_{name}": column(chain) for name, column in elements.COLUMNS.items()}


def _fill_event_properties(view: EventView, invocation: dict[str, Any]) -> None:
    invocation["event"]["properties"] = view.properties


def _fill_event_elements_chain(view: EventView, invocation: dict[str, Any]) -> None:
    invocation["event"]["elements_chain"] = view.elements_chain


def _fill_event_url(view: EventView, invocation: dict[str, Any]) -> None:
    event = view.event
    path = f"events/{encode_component(event.uuid)}/{encode_component(event.timestamp)}"
    if event.source is Source.PERSON_UPDATES:
        # Nobody can look at the change; what has changed is the person.
        path = _person_path(view)
    invocation["event"]["url"] = f"{_project_url(view)}/{path}"


def _fill_person_properties(view: EventView, invocation: dict[str, Any]) -> None:
    if invocation["person"]:
        invocation["person"]["properties"] = view.person_properties


def _fill_person_name(view: EventView, invocation: dict[str, Any]) -> None:
    if invocation["person"]:
        keys = view.site.project(view.event.project).display_names
        invocation["person"]["name"] = person_name(view.person_properties, view.event.distinct_id, keys)


def _fill_person_url(view: EventView, invocation: dict[str, Any]) -> None:
    if invocation["person"]:
        invocation["person"]["url"] = f"{_project_url(view)}/{_person_path(view)}"


def _fill_groups(view: EventView, invocation: dict[str, Any]) -> None:
    invocation["groups"] = {
        group.type: {
            "id": group.key,
            "type": group.type,
            "index": group.index,
            "url": _group_url(view, group),
            "properties": _group_properties(group),
        }
        for group in view.groups
        if group.type is not None
    }


def person_name(properties: Mapping[str, Any], distinct_id: str, keys: Iterable[str] = DISPLAY_NAMES) -> str:
    """What people call the person: the first of these properties that is not empty, else the distinct id."""
    for key in keys:
        value = properties.get(key)
        if value is not None:
            text = (value if isinstance(value, str) else json_text.dumps(value).decode()).strip()
            if text:
                return text
    return distinct_id


def _group_properties(group: EventGroup) -> dict[str, Any]:
    return _object(group.properties, f"the properties of group '{group.key}'")


def _group_url(view: EventView, group: EventGroup) -> str | None:
    if group.index is None:
        return None
    return f"{_project_url(view)}/groups/{group.index}/{encode_component(group.key)}"


def _person_path(view: EventView) -> str:
    return f"person/{encode_component(view.event.distinct_id)}"


def _project_url(view: EventView) -> str:
    return view.site.project(view.event.project).url


# Filled in alphabetical order, so a part stands behind the one that it completes.
_FILL_ROW: Mapping[str, Callable[[EventView, dict[str, Any]], None]] = {
    "elements_chain": _fill_row_elements_chain,
    "elements_chain.parts": _fill_row_elements,
    "groups": _fill_row_groups,
    "person": _fill_row_person,
    "person.link": _fill_row_person_link,
    "person.properties": _fill_row_person_properties,
    "properties": _fill_row_properties,
}
_FILL_INVOCATION: Mapping[str, Callable[[EventView, dict[str, Any]], None]] = {
    "event.elements_chain": _fill_event_elements_chain,
    "event.properties": _fill_event_properties,
    "event.url": _fill_event_url,
    "groups": _fill_groups,
    "person.name": _fill_person_name,
    "person.properties": _fill_person_properties,
    "person.url": _fill_person_url,
}
_INVOCATION_FIELDS: Mapping[str, Mapping[str, str]] = {
    root: {need.split(".")[1]: need for need in _FILL_INVOCATION if need.startswith(f"{root}.")}
    for root in ("event", "person")
}
