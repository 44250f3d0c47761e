"""Secrets that people enter: names, times and authors come out of here, values only go in."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from console.api import file_models as models
from console.api.roles import Operator, Space

router = APIRouter(prefix="/secrets", tags=["secrets"])

Name = Annotated[str, Path(pattern="^[A-Za-z_][A-Za-z0-9_]*$", max_length=200, description="As in `{secrets.NAME}`.")]


@router.get("", summary="The secrets that are stored, by name")
def list_secrets(_: Operator, space: Space) -> list[models.SecretRow]:
    """Without their values. Those that are files or variables of the job are not listed."""
    return [models.SecretRow(name=one.name, at=one.at, author=one.author) for one in space.drafts.secrets()]


@router.put("/{name}", status_code=204, summary="Store a secret")
def put_secret(account: Operator, space: Space, name: Name, body: models.SecretIn) -> None:
    """In place of the one of that name. A running job takes it up within two seconds; nobody sees it again."""
    space.drafts.set_secret(name, body.value.get_secret_value(), account.name)


@router.delete("/{name}", status_code=204, summary="Delete a secret")
def delete_secret(_: Operator, space: Space, name: Name) -> None:
    """Destinations that use it keep it until they change or the job starts again: revoke it at its vendor, too."""
    if not space.drafts.delete_secret(name):
        # Not repeated: somebody may have taken the value for the name.
        raise HTTPException(404, "no secret of that name is stored")
