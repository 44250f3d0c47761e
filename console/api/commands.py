"""What destinations are to do: commands to the running job."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from connectors.commands import Position, Wish, spans_of_failed
from console.api import models
from console.api.destinations import found
from console.api.roles import Operator, Space, Viewer
from console.workspace import Workspace
from records import CommandKind

router = APIRouter(tags=["commands"])


@router.post("/destinations/{id}/commands", status_code=202, summary="Pause, enable, disable or replay")
def give_command(account: Operator, space: Space, id: str, command: models.CommandIn) -> models.CommandsOut:
    """The job carries it out within a second; `GET /commands/{number}` tells when it has."""
    found(space, id)
    wishes = _of_failed(space, id, command, account.name) if command.failed else [_wish(command, account.name)]
    return models.CommandsOut(ids=[space.tell(id, wish) for wish in wishes], running=space.is_running())


@router.get("/destinations/{id}/commands/{number}", summary="What became of a command")
def get_command(_: Viewer, space: Space, id: str, number: Annotated[int, Path(ge=1, le=2**62)]) -> models.CommandState:
    """`done` is true once the job has carried it out."""
    row = found(space, id)
    answer = space.answer(number)
    return models.CommandState(
        id=number,
        answered=answer is not None,
        error=answer.error if answer is not None else "",
        positions=answer.positions if answer is not None else 0,
        done=row.status.command >= number,
    )


def _wish(command: models.CommandIn, by: str) -> Wish:
    if command.kind != "replay":
        return Wish(CommandKind(command.kind), by, skip_missed=command.skip_missed)
    if (command.first is None) is (command.since is None):
        raise HTTPException(422, "a replay needs `first`, `since` or `failed`, and only one of them")
    if command.until is not None and command.until <= (command.since or 0.0):
        raise HTTPException(422, "`until` is not behind `since`")
    return Wish(
        CommandKind.REPLAY,
        by,
        first=_place(command.first),
        last=_place(command.last),
        since=command.since,
        until=command.until,
        dry=command.dry,
    )


def _place(place: models.Place | None) -> Position | None:
    return None if place is None else Position(place.stream, place.partition, place.offset)


def _of_failed(space: Workspace, id: str, command: models.CommandIn, by: str) -> list[Wish]:
    if command.kind != "replay":
        raise HTTPException(422, "`failed` goes with the kind replay")
    try:
        positions = space.failed_positions(id, command.status, command.error)
    except ValueError as error:
        raise HTTPException(422, f"status: {error}") from None
    if not positions:
        raise HTTPException(409, "no such delivery is in the ledger")
    spans = spans_of_failed(positions)
    return [Wish(CommandKind.REPLAY, by, spans=each, failed=True, dry=command.dry) for each in spans]
