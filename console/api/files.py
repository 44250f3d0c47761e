"""Files of destinations: made, changed, checked and deleted, so that two editors cannot overwrite each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Path, Response

from connectors.config_history import Version
from console.access import Role
from console.api import file_models as models
from console.api.etags import IfMatch, IfNoneMatch, conflict, etag_of, expected
from console.api.models import Problem
from console.api.roles import Editor, Operator, Space
from console.drafts import Draft, DraftError, Why
from console.problem import sendable
from console.workspace import Workspace

router = APIRouter(prefix="/destinations", tags=["files"])

Id = Annotated[str, Path(pattern="^[a-z0-9-]+$", max_length=200, description="The destination's id.")]
CONFLICTS: Final[dict[int | str, dict[str, Any]]] = {
    412: {"model": Problem, "description": "Somebody was faster; `ETag` is that of the file as it is now"},
    428: {"model": Problem, "description": "Nothing says which version is meant"},
}
_MADE: Final[dict[int | str, dict[str, Any]]] = {201: {"model": models.VersionRow, "description": "It is new"}}


@router.post("", status_code=201, summary="Make a destination from a template", responses={**CONFLICTS})
def make_destination(
    account: Editor, space: Space, body: models.DestinationIn, response: Response
) -> models.VersionRow:
    """A running job takes it up within two seconds.

    Who makes a destination enters its credentials with it; a secret of the same name that is stored already is only
    replaced by an operator.
    """
    template = space.template(body.template)
    if template is None:
        raise HTTPException(422, f"there is no template '{body.template}'")
    filters = template.spec.filters if body.filters is None else body.filters
    secrets = {key: value.get_secret_value() for key, value in body.secrets.items()}
    draft = Draft(body.id, body.name, template, filters, body.inputs, secrets)
    with written(space, body.id):
        made = space.drafts.create(draft, account.name, replace_secrets=account.role >= Role.OPERATOR)
    response.headers["Location"] = f"/api/v1/destinations/{body.id}"
    response.headers["ETag"] = etag_of(made)
    return version_row(made)


@router.put("/{id}", summary="Write a destination's file", responses={**CONFLICTS, **_MADE})
def put_file(
    account: Editor,
    space: Space,
    id: Id,
    body: models.FileIn,
    response: Response,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> models.VersionRow:
    """It needs `If-Match` with the ETag of `GET`, or `If-None-Match: *` for a new one.

    A file that would not load is not written; `problems` of the error says what is wrong with it. The text that is
    there already makes no version. A running job takes it up within two seconds.
    """
    current = space.drafts.current(id)
    number = expected(current, if_match, if_none_match)
    with written(space, id):
        made = space.drafts.save(id, body.text, account.name, body.note, number)
    response.headers["ETag"] = etag_of(made)
    if if_match is None:
        response.status_code = 201
        response.headers["Location"] = f"/api/v1/destinations/{id}"
    return version_row(made)


@router.delete("/{id}", status_code=204, summary="Delete a destination", responses={**CONFLICTS})
def delete_file(account: Operator, space: Space, id: Id, if_match: IfMatch = None) -> None:
    """What it still owes is given up. Its versions stay, and so do its secrets.

    It needs `If-Match` with the ETag of `GET`.
    """
    current = space.drafts.current(id)
    if current is None or current.text is None:
        raise HTTPException(404, f"there is no file of a destination '{id}'")
    number = expected(current, if_match)
    with written(space, id):
        space.drafts.delete(id, account.name, "", number)


@router.post("/{id}/check", summary="Check a file without writing it")
def check_file(_: Editor, space: Space, id: Id, body: models.TextIn) -> models.Checked:
    """The destination need not be there yet."""
    return models.Checked(problems=[sendable(each) for each in space.drafts.problems(id, body.text)])


@contextmanager
def written(space: Workspace, id: str) -> Iterator[None]:
    """Around a change: the files are looked at again at once, and who was slower is told what there is now."""
    try:
        yield
    except DraftError as error:
        if error.why is Why.CONFLICT:
            raise conflict(space.drafts.current(id)) from None
        raise
    finally:
        space.look_again()


def version_row(version: Version) -> models.VersionRow:
    """One version, without its text."""
    return models.VersionRow(**fields_of(version))


def fields_of(version: Version) -> dict[str, Any]:
    """Of the row."""
    return {
        "destination": version.destination,
        "number": version.number,
        "at": version.at,
        "author": version.author,
        "note": version.note,
        "deleted": version.text is None,
    }
