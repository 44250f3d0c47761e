"""Signing in and out."""

import time
from typing import Final
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from console.access import SESSION_S, Access
from console.gatekeeper import COOKIE, LOGIN

_TRIES: Final = 10
"""Wrong passwords within a minute, of all people together, before nobody is asked any more."""
_LARGEST: Final = 10_000

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in · Offramp</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh; margin: 0; }}
form {{ display: grid; gap: 12px; width: min(320px, 90vw); }}
input, button {{ font: inherit; padding: 10px; }}
p {{ margin: 0; }}
</style></head><body><form method="post" action="/login">
<h1>Offramp</h1>
<label for="name">Name</label><input id="name" name="name" autocomplete="username" autofocus required>
<label for="password">Password or token</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<p role="alert">{problem}</p>
<button>Sign in</button>
</form></body></html>"""


def add(app: FastAPI, access: Access) -> None:
    """Serve `/login` and `/logout`."""
    wrong: list[float] = []

    @app.get(LOGIN, include_in_schema=False)
    async def form() -> HTMLResponse:
        return HTMLResponse(_PAGE.format(problem=""))

    @app.post(LOGIN, include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        now = time.monotonic()
        wrong[:] = [at for at in wrong if now - at < 60]
        if len(wrong) >= _TRIES:
            return HTMLResponse(_PAGE.format(problem="Too many wrong passwords; wait a minute."), 429)
        body = await request.body() if int(request.headers.get("content-length") or 0) <= _LARGEST else b""
        fields = parse_qs(body.decode("utf-8", "replace"))
        name, secret = (fields.get(key, [""])[0] for key in ("name", "password"))
        account = await run_in_threadpool(access.by_password, name, secret)
        by_token = access.by_token(secret)
        if account is None and by_token is not None and by_token.name == name:
            account = by_token
        if account is None:
            wrong.append(now)
            return HTMLResponse(_PAGE.format(problem="Name and password do not go together."), 401)
        answer = RedirectResponse("/", 303)
        secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
        answer.set_cookie(
            COOKIE, access.session(account), int(SESSION_S), httponly=True, samesite="strict", secure=secure
        )
        return answer

    @app.get("/logout", include_in_schema=False)
    async def sign_out() -> Response:
        answer = RedirectResponse(LOGIN, 303)
        answer.delete_cookie(COOKIE)
        return answer
