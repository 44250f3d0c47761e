"""Versions of destination files: who changed what, when and why, and the way back."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response

from connectors.config_history import Version
from console.access import Role
from console.api import file_models as models
from console.api.destinations import Limit
from console.api.etags import IfMatch, etag_of, expected, shown_text
from console.api.files import CONFLICTS, Id, fields_of, version_row, written
from console.api.roles import Editor, Space, Viewer
from console.workspace import Workspace

router = APIRouter(prefix="/destinations/{id}", tags=["versions"])

Number = Annotated[int, Path(ge=1, le=2**62, description="Of the version.")]
DiffNumber = Annotated[int, Query(ge=0, le=2**62, description="Of a version; 0 is before the first.")]
Before = Annotated[int | None, Query(ge=1, le=2**62, description="Those before this one; without it the newest.")]


@router.get("/versions", summary="The versions of a destination's file")
def list_versions(_: Viewer, space: Space, id: Id, after: Before = None, limit: Limit = 100) -> models.VersionPage:
    """The newest first; also of a destination that was deleted. A change by hand is one from when it is seen."""
    versions = [one for one in _versions(space, id) if after is None or one.number < after]
    page = versions[:limit]
    following = page[-1].number if len(versions) > limit else None
    return models.VersionPage(items=[version_row(one) for one in page], next=following)


@router.get("/versions/{number}", summary="One version, with its text")
def get_version(_: Viewer, space: Space, id: Id, number: Number) -> models.VersionText:
    """The text is empty where the file was deleted."""
    version = space.drafts.version(id, number)
    return models.VersionText(**fields_of(version), text=shown_text(version))


@router.get("/diff", summary="What is different between two versions")
def get_diff(_: Viewer, space: Space, id: Id, before: DiffNumber, after: DiffNumber) -> models.Diff:
    """As unified diff; empty where they are the same."""
    _versions(space, id)
    diff = space.drafts.diff(id, before, after).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return models.Diff(before=before, after=after, diff=diff)


@router.post("/rollback", summary="Make a former version the file's text again", responses={412: CONFLICTS[412]})
def roll_back(
    account: Editor, space: Space, id: Id, body: models.RollbackIn, response: Response, if_match: IfMatch = None
) -> models.VersionRow:
    """It makes a new version. Without `If-Match` whatever there is now is replaced.

    A text that would not load any more is refused. To go back to a version that is a deletion needs an operator.
    """
    wanted = space.drafts.version(id, body.version)
    if wanted.text is None and account.role < Role.OPERATOR:
        raise HTTPException(
            403, f"version {body.version} is that the file is deleted, and that needs the role operator"
        )
    number = None if if_match is None else expected(space.drafts.current(id), if_match)
    with written(space, id):
        made = space.drafts.roll_back(id, body.version, account.name, body.note, number)
    response.headers["ETag"] = etag_of(made)
    return version_row(made)


def _versions(space: Workspace, id: str) -> list[Version]:
    versions = space.drafts.versions(id)
    if not versions:
        raise HTTPException(404, f"nothing is known of a destination '{id}'")
    return versions
