"""What the filters object says, before anything of it is compiled: PostHog's shape, and `when`. Data only.

Its lists hold what was written: each entry is fitted by itself, so that a mistake in one is told with its place.
"""

from typing import Any

import msgspec


class FiltersSpec(msgspec.Struct, frozen=True):
    """Which events are wanted. All of it has to hold; without anything every event is wanted."""

    when: str | None = None
    """A Hog expression over the event's row."""
    source: str | None = None
    """What the events are made of, a `records.Source`; null is `events`."""
    events: list[Any] = msgspec.field(default_factory=list[Any])
    """One of these, or of the actions, has to fit."""
    actions: list[Any] = msgspec.field(default_factory=list[Any])
    properties: list[Any] = msgspec.field(default_factory=list[Any])
    """All of these have to hold."""
    filter_test_accounts: bool = False
    """Adds the project's `test_account_filters`."""
    bytecode: Any = None
    """What PostHog made of the filters for itself; this and the next two are not read."""
    bytecode_error: Any = None
    transpiled: Any = None


class EventEntrySpec(msgspec.Struct, frozen=True):
    """One of `events`."""

    id: str | None = None
    """The event's name; null is any."""
    properties: list[Any] = msgspec.field(default_factory=list[Any])
    type: str | None = None
    name: Any = None
    """This and what follows is for PostHog's screens."""
    custom_name: Any = None
    order: Any = None
    uuid: Any = None


class ActionEntrySpec(msgspec.Struct, frozen=True):
    """One of `actions`."""

    id: int | str | None = None
    """The id that the action has in `project.yaml`; null is none, which never fits."""
    properties: list[Any] = msgspec.field(default_factory=list[Any])
    type: str | None = None
    name: Any = None
    custom_name: Any = None
    order: Any = None
    uuid: Any = None


class PropertySpec(msgspec.Struct, frozen=True):
    """One property filter. Without a key, or without a value where one is needed, it says nothing."""

    key: str | int | None = None
    value: Any = None
    operator: str | None = None
    """Absent: `exact`."""
    type: str | None = None
    """Absent: `event`."""
    group_type_index: int | None = None
    negation: bool = False
    """Of a cohort, or of what a cohort is made of: the contrary."""
    label: Any = None
    """This and what follows is for PostHog's screens."""
    cohort_name: Any = None
    group_key_names: Any = None
    bytecode: Any = None
    conditionHash: Any = None  # noqa: N815 - as PostHog writes it
