"""What a destination file says, before anything of it is compiled. Data only."""

import re
from typing import Annotated, Any

import msgspec

from destinations.filters.spec import FiltersSpec

ID = re.compile(r"[a-z0-9-]+")


Share = Annotated[float, msgspec.Meta(gt=0, le=1)]


class SampleSpec(msgspec.Struct, frozen=True):
    """A share of what matches."""

    share: Share
    by: str | None = None
    """A Hog expression over the event's row: events with the same value are in or out together. Absent: distinct_id."""


class MappingSpec(msgspec.Struct, frozen=True):
    """One of several things that a destination makes of events. Each is sent, and fails, on its own."""

    name: str
    """By which it is known in `webhook-id`, the ledger and the log: the only one of that name in the file."""
    enabled: bool = True
    filters: FiltersSpec = msgspec.field(default_factory=FiltersSpec)
    """Behind those of the destination; both have to hold."""
    inputs: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """Laid over those of the destination."""
    inputs_schema: list[Any] | dict[str, Any] | None = None
    """Of `code`: inputs beside those of the destination."""


class MaskingSpec(msgspec.Struct, frozen=True):
    """A frequency cap."""

    hash: Annotated[str, msgspec.Meta(min_length=1)]
    """A Hog template. Events with the same text count together; one whose text is empty is not held back."""
    ttl_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)]
    threshold: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """Absent: within `ttl_s` of the first only the first is sent; else also each that comes behind so many."""


class LimitsSpec(msgspec.Struct, frozen=True):
    """What one run of a destination's code may take."""

    time_ms: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 550
    """Time in which the program itself runs; waiting for responses is not counted."""
    memory_mb: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    fetches: Annotated[int, msgspec.Meta(ge=0, le=100)] = 5


Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]
Count = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class ClientCertSpec(msgspec.Struct, frozen=True):
    """What the destination knows its client by. Each is PEM, made of a secret, or the path of a file of it."""

    cert: str
    key: str
    password: str | None = None


class BatchSpec(msgspec.Struct, frozen=True):
    """Several invocations in one request; see `records.Batch`."""

    max: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] | None = None
    max_bytes: Annotated[int, msgspec.Meta(ge=1)] | None = None
    form: str | None = msgspec.field(default=None, name="as")
    """`json_array`, `ndjson` or `join`."""
    key: str | None = None
    """Of the list, for `join`."""


class DeliverySpec(msgspec.Struct, frozen=True):
    """How to deliver; see `records.Policy`, which has the defaults of what is absent."""

    timeout_s: Seconds | None = None
    connect_timeout_s: Seconds | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    retries: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    backoff_s: Seconds | None = None
    backoff_cap_s: Seconds | None = None
    retry_after_cap_s: Seconds | None = None
    success: list[int | str] | None = None
    """Statuses: `409`, or `2xx` for all from 200 to 299."""
    retry_on: list[int | str] | None = None
    failure: str | None = None
    """A template over `response`: how a good status says that it is none after all."""
    rate: str | float | None = None
    """Requests a second, or a text such as `100/s`, `600/min`, `1000/h`."""
    batch: BatchSpec | None = None
    order: str | None = None
    """`person`, or nothing."""
    compress: str | None = None
    """`gzip`, or nothing."""
    proxy: str | None = None
    """The URL of an HTTP proxy, made of secrets where it needs them."""
    client_cert: ClientCertSpec | None = None
    ca: str | None = None
    """PEM, or the path of a file of it."""


class QuarantineSpec(msgspec.Struct, frozen=True):
    """When to leave it alone; see `records.Quarantine`, which has the defaults of what is absent."""

    window_s: Seconds | None = None
    min_samples: Count | None = None
    error_rate: Share | None = None
    errors_in_a_row: Count | None = None
    slow_s: Seconds | None = None
    slow_rate: Share | None = None
    periods_s: Annotated[list[Annotated[float, msgspec.Meta(gt=0, le=86_400)]], msgspec.Meta(min_length=1)] | None = (
        None
    )
    probes: Count | None = None
    disable_after: Count | None = None


class NotifySpec(msgspec.Struct, frozen=True):
    """A webhook that is told of every change of health. Its texts are made of secrets where they need them."""

    url: str
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class DestinationSpec(msgspec.Struct, frozen=True):
    """One YAML file. A key that is absent or null has its default."""

    id: str
    """Equal to the file's stem."""
    name: str = ""
    """Shown to people; the id where it is empty."""
    enabled: bool = True
    project: int | None = None
    """Only this project's events; None takes all."""
    template: str = ""
    """Absent: `webhook`, or none at all where there is `code`, whose inputs are then whatever the file gives."""
    filters: FiltersSpec = msgspec.field(default_factory=FiltersSpec)
    sample: Share | SampleSpec | None = None
    """Of what matches; absent, all of it."""
    inputs: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    inputs_schema: list[Any] | dict[str, Any] | None = None
    """What the inputs of `code` are: `{key: {type, …}}`, or PostHog's list of `{key, type, …}`."""
    mappings: list[Any] = msgspec.field(default_factory=list[Any])
    """Each a `MappingSpec`: what is made of an event; absent, one thing of the inputs above. Every one that matches is
    sent."""
    masking: MaskingSpec | None = None
    code: str | None = None
    """A Hog program that is run for each event, instead of the template's request or code."""
    limits: LimitsSpec = msgspec.field(default_factory=LimitsSpec)
    signing_secret: str | list[str] | None = None
    """Signs every request; two while one replaces the other."""
    delivery: DeliverySpec = msgspec.field(default_factory=DeliverySpec)
    quarantine: QuarantineSpec = msgspec.field(default_factory=QuarantineSpec)
    notify: NotifySpec | None = None


def given_of(spec: msgspec.Struct) -> dict[str, Any]:
    """What a part of a file says, by field: an absent key and null are left out."""
    return {key: value for key, value in msgspec.structs.asdict(spec).items() if value is not None}
