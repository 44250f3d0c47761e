"""The console's API as commands see it with `--api`: what they would read in the journal, and commands to the job.

Follows no redirect: the token is for the address that was given, and no other. An error ends the command with a line.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from cli.output import fail
from connectors.journal_ledger import StoredFailure
from connectors.journal_reader import StoredLine
from flows.settings import from_process
from records import Failure, LogLine, Metric, Status

TIMEOUT_S: Final = 60.0
PAGE: Final = 1_000
"""The most that the API gives at once."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None is an error with the answer's status."""


class Api:
    """Requests to one console."""

    def __init__(self, url: str) -> None:
        """Ends the command where the URL is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            fail("--api: expected a URL such as https://offramp.example.com, without a user in it", 2)
        self._url = url.rstrip("/").removesuffix("/api/v1")
        self._token = from_process({}, only=["api_token"]).api_token.strip()
        self._opener = urllib.request.build_opener(_NoRedirects)

    def get(self, path: str, **query: object) -> Any:
        """What an address says."""
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return self._ask("GET", f"{path}?{urlencode(given)}" if given else path)

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """What is said to a body."""
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self._url}/api/v1{path}", body, method=method)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            self._refuse(error)
        except urllib.error.URLError as error:
            fail(f"{self._url}: cannot be reached: {error.reason}", 2)
        except (OSError, HTTPException) as error:
            fail(f"{self._url}: cannot be reached: {error or type(error).__name__}", 2)
        except ValueError:
            # Also a token with a line break in it, which is not to be shown.
            fail(f"{self._url}: that is no console of Offramp, or OFFRAMP_API_TOKEN is no token", 2)

    def _refuse(self, error: urllib.error.HTTPError) -> None:
        if error.code == 401:
            given = "knows no such OFFRAMP_API_TOKEN" if self._token else "asks who you are: set OFFRAMP_API_TOKEN"
            fail(f"{self._url}: {given}", 2)
        try:
            detail = json.load(error)["detail"]
        except (ValueError, KeyError, TypeError, OSError, HTTPException):
            fail(f"{self._url}: answered {error.code}; that is no console of Offramp, or another address of it", 2)
        fail(str(detail), 1)


class ApiReader:
    """What `JournalReader` tells, by the API."""

    def __init__(self, url: str) -> None:
        self.api = Api(url)

    def __enter__(self) -> Self:
        """Is itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays open."""

    def close(self) -> None:
        """Nothing stays open."""

    def statuses(self) -> list[Status]:
        """See `JournalReader.statuses`; also of destinations that no job has told of."""
        rows: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            page = self.api.get("/destinations", after=after, limit=PAGE)
            rows += page["items"]
            after = page["next"]
        return [_status(row) for row in rows]

    def count_dead_letters(self) -> int:
        """See `JournalReader.count_dead_letters`."""
        return int(self.api.get("/destinations", limit=1)["dead_letters"])

    def status(self, destination: str) -> Status:
        """Of one; ends the command where there is none."""
        return _status(self.api.get(path_of(destination)))

    def logs(
        self, destination: str, *, after_id: int | None = None, level: str = "debug", text: str = "", limit: int = 100
    ) -> list[StoredLine]:
        """See `JournalReader.logs`; at most 1,000."""
        query = {"after": after_id, "level": str(level), "text": text, "limit": _most(limit)}
        return [
            StoredLine(
                one["id"],
                LogLine(destination, one["at"], one["level"], one["message"], one["webhook_id"], one["body"].encode()),
            )
            for one in self.api.get(path_of(destination, "/logs"), **query)["items"]
        ]

    def metrics(self, destination: str, *, since: float = 0.0) -> list[Metric]:
        """See `JournalReader.metrics`."""
        return [
            Metric(destination, one["minute"], one["kind"], one["name"], one["count"])
            for one in self.api.get(path_of(destination, "/metrics"), since=since)
        ]

    def failures(self, destination: str, *, status: str = "", text: str = "", limit: int = 100) -> list[StoredFailure]:
        """See `JournalReader.failures`; the newest, at most 1,000."""
        query = {"status": status, "text": text, "limit": _most(limit)}
        return [_failure(destination, one) for one in self.api.get(path_of(destination, "/failures"), **query)["items"]]

    def count_failures(self, destination: str, *, status: str = "", text: str = "") -> int:
        """See `JournalReader.count_failures`."""
        return sum(1 for _ in self._all_failures(destination, status, text))

    def failure(self, destination: str, invocation: str) -> Failure | None:
        """See `JournalReader.failure`."""
        found = (one.failure for one in self._all_failures(destination, "", ""))
        return next((one for one in found if one.invocation == invocation), None)

    def _all_failures(self, destination: str, status: str, text: str) -> Iterator[StoredFailure]:
        after = 0
        while True:
            query = {"after": after, "status": status, "text": text, "limit": PAGE}
            page = self.api.get(path_of(destination, "/failures"), **query)
            yield from (_failure(destination, one) for one in page["items"])
            if len(page["items"]) < PAGE:
                return
            after = page["next"]


def _most(limit: int) -> int:
    if limit > PAGE:
        fail(f"-n: a console gives at most {PAGE:,} at once", 2)
    return limit


def path_of(destination: str, rest: str = "") -> str:
    """Of a destination, whatever is written for its id."""
    return f"/destinations/{quote(destination, safe='')}{rest}"


def _status(row: dict[str, Any]) -> Status:
    told = {"problem": row["problems"][0].partition("\n")[0]} if row["problems"] else {}
    return msgspec.convert(row | told, Status)


def _failure(destination: str, one: dict[str, Any]) -> StoredFailure:
    fields = one | {"destination": destination, "invocation": one["webhook_id"], "body": one["body"].encode()}
    return StoredFailure(one["id"], Failure(**{name: fields[name] for name in Failure.__struct_fields__}))
