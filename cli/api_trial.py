"""`offramp test` by the console's API: the console has the inputs, the persons and the secrets."""

import json
from collections.abc import Iterator

import msgspec

from cli.api_client import Api, path_of
from cli.output import fail
from flows.trial_result import TrialResult


def try_out_there(
    url: str,
    destination: str,
    *,
    event: bytes | None,
    uuid: str | None,
    last: int | None,
    name: str,
    person: str,
    send: bool,
    anyway: bool,
) -> Iterator[TrialResult]:
    """What became of each event. Without one, and without `last`, it is the newest that matches."""
    api = Api(url)
    how = {"send": send, "anyway": anyway}
    if event is not None:
        asked = [{"event": _object(event)}]
    elif uuid is not None:
        asked = [{"uuid": uuid}]
    else:
        query = {"name": name, "person": person, "limit": last or 1, "matching": last is None}
        asked = [{"uuid": one["uuid"]} for one in api.get(path_of(destination, "/events"), **query)]
        if not asked:
            fail("no such event is among the newest messages of the inputs; --event gives one", 1)
    for each in asked:
        yield msgspec.convert(api.post(path_of(destination, "/test"), each | how), TrialResult)


def _object(text: bytes) -> object:
    try:
        found = json.loads(text)
    except ValueError as error:
        fail(f"--event: not JSON: {error}", 1)
    if not isinstance(found, dict):
        fail("--event: not an object", 1)
    return found
