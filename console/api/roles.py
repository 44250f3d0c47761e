"""Who may use a route: put one of these into its signature."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from console.access import Account, Role
from console.workspace import Workspace


class Needs:
    """Lets through who has at least this role."""

    def __init__(self, role: Role) -> None:
        self.role = role

    def __call__(self, request: Request) -> Account:
        """Who asks; 403 where they may not."""
        account: Account | None = request.scope.get("account")
        if account is None:
            raise HTTPException(401, "say who you are")
        if account.role < self.role:
            needed, has = self.role.name.lower(), account.role.name.lower()
            raise HTTPException(403, f"this needs the role {needed}; {account.name} is {has}")
        return account


def _workspace(request: Request) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace


Viewer = Annotated[Account, Depends(Needs(Role.VIEWER))]
Editor = Annotated[Account, Depends(Needs(Role.EDITOR))]
Operator = Annotated[Account, Depends(Needs(Role.OPERATOR))]
Space = Annotated[Workspace, Depends(_workspace)]
