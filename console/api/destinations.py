"""Destinations: how they are, and what they say."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, HTTPException, Query, Response

from connectors.journal_ledger import StoredFailure
from connectors.journal_reader import StoredLine
from console.api import models
from console.api.etags import etag_of, shown_text
from console.api.roles import Space, Viewer
from console.workspace import Row, Workspace

router = APIRouter(prefix="/destinations", tags=["destinations"])

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
After = Annotated[int | None, Query(ge=0, le=2**62, description="Those behind this one; without it the newest.")]
Text = Annotated[str, Query(max_length=1000, description="Only those with this text.")]
Level = Literal["debug", "info", "warn", "error"]


@router.get("", summary="All destinations, by id")
def list_destinations(
    _: Viewer,
    space: Space,
    state: Annotated[str, Query(max_length=20, description="Only those in this state.")] = "",
    text: Text = "",
    after: Annotated[str, Query(max_length=200, description="Only those behind this id.")] = "",
    limit: Limit = 100,
) -> models.DestinationPage:
    """Name and id are searched for the text."""
    rows = [
        row
        for row in space.rows()
        if row.id > after and state in ("", row.state) and text.lower() in f"{row.id} {row.name}".lower()
    ]
    page = rows[:limit]
    following = page[-1].id if len(rows) > limit else None
    return models.DestinationPage(
        items=[_row(row) for row in page],
        next=following,
        running=space.is_running(),
        dead_letters=space.count_dead_letters(),
    )


@router.get("/{id}", summary="One destination, with its file")
def get_destination(_: Viewer, space: Space, id: str, response: Response) -> models.DestinationText:
    """The `ETag` is that of its file, for `PUT` and `DELETE`; there is none where there is no file."""
    row = found(space, id)
    version = space.drafts.current(id)
    if version is not None and version.text is not None:
        response.headers["ETag"] = etag_of(version)
    number = 0 if version is None else version.number
    return models.DestinationText(**_fields(row), text=shown_text(version), version=number)


@router.get("/{id}/logs", summary="What happened at a destination")
def get_logs(
    _: Viewer, space: Space, id: str, level: Level = "debug", text: Text = "", after: After = None, limit: Limit = 100
) -> models.LinePage:
    """With `after` those behind it, else the newest."""
    found(space, id)
    lines = space.logs(id, after=after, level=level, text=text, limit=limit)
    return models.LinePage(items=[_line(one) for one in lines], next=lines[-1].id if lines else after)


@router.get("/{id}/failures", summary="What failed for good and was not sent again since")
def get_failures(
    _: Viewer,
    space: Space,
    id: str,
    status: Annotated[str, Query(max_length=10, description="`404`, `4xx`, or `none` where no answer came.")] = "",
    text: Text = "",
    after: After = None,
    limit: Limit = 100,
) -> models.FailedPage:
    """With `after` those behind it, else the newest."""
    found(space, id)
    try:
        failures = space.failures(id, after=after, status=status, text=text, limit=limit)
    except ValueError as error:
        raise HTTPException(422, f"status: {error}") from None
    return models.FailedPage(items=[_failed(one) for one in failures], next=failures[-1].id if failures else after)


@router.get("/{id}/metrics", summary="What a destination did, counted by minute")
def get_metrics(
    _: Viewer, space: Space, id: str, since: Annotated[float, Query(ge=0, le=2**40)] = 0.0
) -> list[models.Count]:
    """From the minute of `since` on."""
    found(space, id)
    return [
        models.Count(minute=one.minute, kind=one.metric_kind, name=one.metric_name, count=one.count)
        for one in space.metrics(id, since)
    ]


def found(space: Workspace, id: str) -> Row:
    """The row of this id; 404 where there is none."""
    row = space.row(id)
    if row is None:
        raise HTTPException(404, f"there is no destination '{id}'")
    return row


def _row(row: Row) -> models.DestinationRow:
    return models.DestinationRow(**_fields(row))


def _fields(row: Row) -> dict[str, Any]:
    own = {"id": row.id, "name": row.name, "template": row.template, "state": row.state, "problems": row.problems}
    status: dict[str, Any] = msgspec.to_builtins(row.status)
    return status | own


def _line(stored: StoredLine) -> models.Line:
    line = stored.line
    return models.Line(
        id=stored.id,
        at=line.timestamp,
        level=line.level,
        message=line.message,
        webhook_id=line.instance_id,
        body=line.body.decode("utf-8", "replace"),
    )


def _failed(stored: StoredFailure) -> models.Failed:
    failure = stored.failure
    fields = msgspec.structs.asdict(failure)
    body = failure.body.decode("utf-8", "replace")
    return models.Failed(**fields | {"id": stored.id, "webhook_id": failure.invocation, "body": body})
