"""Trying destinations out with events. Events hold what is known of people, so both are for editors."""

import json
from typing import Annotated

import msgspec
from fastapi import APIRouter, HTTPException, Query

from console.api import trial_models as models
from console.api.destinations import found
from console.api.roles import Editor, Space
from console.workspace import Workspace
from destinations import EventView
from flows.event_views import NoEventError, position

router = APIRouter(prefix="/destinations/{id}", tags=["tests"])

Only = Annotated[str, Query(max_length=1000)]


@router.get("/events", summary="The newest events that a destination could be tried out with")
def list_events(
    _: Editor,
    space: Space,
    id: str,
    name: Only = "",
    person: Annotated[str, Query(max_length=1000, description="Only those of this distinct id.")] = "",
    matching: Annotated[bool, Query(description="Only those that the destination wants.")] = False,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 10,
) -> list[models.EventRow]:
    """The newest first, out of the newest 5,000 messages of each partition; it may take seconds."""
    found(space, id)
    return [_row(view) for view in space.recent(id, limit, name, person, matching)]


@router.post("/test", summary="Try a destination out with one event")
def try_out(_: Editor, space: Space, id: str, body: models.TestIn) -> models.TrialResult:
    """Step by step: the filter's verdict, the inputs, the requests with their answers. Without `send` nothing leaves.

    That it fails is a result, and no error. Nothing of it is in the logs, counts or failures of the destination.
    """
    found(space, id)
    view = _event(space, id, body)
    result = space.try_out(id, view, send=body.send, anyway=body.anyway)
    # By JSON, as the command line shows it: what a program captured may hold numbers that JSON has not.
    return models.TrialResult.model_validate(msgspec.json.decode(msgspec.json.encode(result)))


def _event(space: Workspace, id: str, body: models.TestIn) -> EventView:
    if bool(body.uuid) is (body.event is not None):
        raise HTTPException(422, "give `uuid` or `event`, and only one of them")
    if body.event is None:
        return space.event(id, uuid=body.uuid)
    space.to_try(id)  # What is wrong with the destination is not wrong with the event.
    try:
        return space.event(id, text=json.dumps(body.event))
    except NoEventError as error:
        raise HTTPException(422, str(error)) from None


def _row(view: EventView) -> models.EventRow:
    event = view.event
    return models.EventRow(
        uuid=event.uuid,
        event=event.event,
        distinct_id=event.distinct_id,
        timestamp=event.timestamp,
        position=position(view),
    )
