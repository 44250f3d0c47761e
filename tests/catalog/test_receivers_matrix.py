"""The template of Matrix against Synapse: what is in the room then, and what it refuses."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from connectors.http import HttpTransport
from records import Outcome, Verdict
from tests.catalog.sent import EVENTS, assert_delivered, send
from tests.connectors.sending import running
from tests.servers.components import present
from tests.servers.synapse import NAME, Homeserver, fetch, homeserver

ODD = "a\nb “Łódź” 日本 🎉 \\ \" ' & <b>\u2028"


class Room(NamedTuple):
    """Which the account is in."""

    server: Homeserver
    transport: HttpTransport
    token: str
    id: str

    def send(self, events: Any = tuple(EVENTS), **inputs: Any) -> list[Outcome]:
        given = {"homeserver": f"{self.server.url}/", "access_token": self.token, "room_id": self.id}
        return send(self.transport, "matrix", given | inputs, events)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Without what Synapse itself adds."""
        said = self.server.messages(self.token, self.id)
        return [{key: value for key, value in one.items() if key != "m.mentions"} for one in said]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    present(fetch)
    with homeserver(tmp_path_factory.mktemp("synapse")) as started:
        yield started


@pytest.fixture(scope="module")
def token(server: Homeserver) -> str:
    return server.account("offramp")


@pytest.fixture(scope="module")
def transport() -> Iterator[HttpTransport]:
    with running() as started:
        yield started


@pytest.fixture
def room(server: Homeserver, token: str, transport: HttpTransport) -> Room:
    """A new one."""
    return Room(server, transport, token, server.room(token))


def test_each_event_is_one_message_however_often_it_is_sent(room: Room) -> None:
    for _ in range(2):
        assert_delivered(room.send())
    said = [f"{one['distinct_id']}@example.com did {one['event']}" for one in EVENTS]
    assert sorted(message["body"] for message in room.messages) == said
    assert {message["msgtype"] for message in room.messages} == {"m.text"}


def test_markup_stands_beside_the_text(room: Room) -> None:
    assert_delivered(
        room.send(EVENTS[:1], html="<b>{{ event.event }}</b> {{ event.properties.plan }}", msgtype="m.notice"), 1
    )
    assert room.messages == [
        {
            "msgtype": "m.notice",
            "body": "ada-0@example.com did signed up",
            "format": "org.matrix.custom.html",
            "formatted_body": "<b>signed up</b> pro",
        }
    ]


@pytest.mark.parametrize("transaction", ["plain", "a/b ü?#%&"])
def test_any_text_arrives_as_it_is(room: Room, transaction: str) -> None:
    event = EVENTS[0] | {"properties": {"said": ODD}}
    assert_delivered(room.send([event], text="{event.properties.said}", transaction_id=transaction), 1)
    assert room.messages == [{"msgtype": "m.text", "body": ODD}]


def test_a_wrong_token_is_refused(room: Room) -> None:
    [outcome] = room.send(EVENTS[:1], access_token="syt_another")
    assert outcome.verdict is Verdict.FAILED
    assert "Matrix answered 401: M_UNKNOWN_TOKEN Invalid access token passed." in outcome.reason
    assert room.messages == []


def test_who_is_not_in_the_room_is_refused(room: Room) -> None:
    [outcome] = room.send(EVENTS[:1], access_token=room.server.account(f"stranger-{room.id[1:6].lower()}"))
    assert outcome.verdict is Verdict.FAILED
    assert "Matrix answered 403: M_FORBIDDEN User @stranger" in outcome.reason
    assert f":{NAME} not in room" in outcome.reason


def test_a_message_that_is_too_long_is_refused(room: Room) -> None:
    event = EVENTS[0] | {"properties": {"said": "x" * 70_000}}
    [outcome] = room.send([event], text="{event.properties.said}")
    assert outcome.verdict is Verdict.FAILED
    assert "Matrix answered 413: M_TOO_LARGE" in outcome.reason
