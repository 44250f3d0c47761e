"""The templates of OpenSearch and Elasticsearch against their servers; OpenSearch's looks at users and their roles."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from connectors.http import HttpTransport
from records import Outcome, Verdict
from tests.catalog.sent import ARRIVED, EVENTS, WRITTEN, assert_delivered, send
from tests.connectors.certificates import needs_openssl
from tests.connectors.sending import running
from tests.servers.components import present
from tests.servers.search import ELASTICSEARCH, OPENSEARCH, PASSWORD, Kind, May, Node, node

pytestmark = needs_openssl
WRITER, STRANGER, NARROW = "offramp", "stranger", "narrow"
MAY: dict[str, May] = {
    WRITER: (["indices:data/write/bulk"], ["index"]),
    STRANGER: (["indices:data/write/bulk"], ["indices:data/read/get"]),
    NARROW: ([], ["index"]),
}
"""What users of OpenSearch are allowed; the first as the README says."""
of_opensearch = pytest.mark.parametrize("target", [OPENSEARCH], indirect=True, ids=["opensearch"])
"""What Elasticsearch has in parts that are in no registry."""


class Target:
    """A node, and who writes there."""

    def __init__(self, slug: str, at: Node, transport: HttpTransport) -> None:
        self.slug = slug
        self.node = at
        self._transport = transport
        who = {"api_key": "an encoded key"} if slug == "elasticsearch" else {"user": WRITER, "password": PASSWORD}
        self._inputs = {"host": f"{at.url}/", "document": WRITTEN, **who}

    def send(self, index: str, events: Any = tuple(EVENTS), **inputs: Any) -> list[Outcome]:
        delivery = {"ca": str(self.node.ca)} if self.node.ca else {}
        given = {name: value for name, value in {**self._inputs, "index": index, **inputs}.items() if value is not None}
        return send(self._transport, self.slug, given, events, **delivery)

    def documents(self, index: str) -> list[Any]:
        return [self.node.found(index, event["uuid"]) for event in EVENTS]


@pytest.fixture(scope="module")
def transport() -> Iterator[HttpTransport]:
    with running() as started:
        yield started


@pytest.fixture(scope="module", params=[OPENSEARCH, ELASTICSEARCH], ids=["opensearch", "elasticsearch"])
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, transport: HttpTransport
) -> Iterator[Target]:
    kind: Kind = request.param
    present(kind.fetch)
    folder: Path = tmp_path_factory.mktemp(kind.name.lower())
    with node(kind, folder, MAY) as started:
        # As the READMEs advise; Elasticsearch's `flattened` is in no registry either.
        free = {"type": "flat_object"} if kind is OPENSEARCH else {"type": "object", "enabled": False}
        for name in ("events", "people", "as-it-comes"):
            started.ask("PUT", f"/{name}", {"mappings": {"properties": {"what": free, "properties": free}}})
        typed = {"properties": {"what": {"properties": {"plan": {"type": "long"}}}}}
        started.ask("PUT", "/typed", {"mappings": typed})
        yield Target(kind.name.lower(), started, transport)


def test_each_event_is_one_document_under_its_id(target: Target) -> None:
    assert_delivered(target.send("events"))
    assert target.documents("events") == ARRIVED


def test_a_document_that_is_there_stays_unless_it_is_replaced(target: Target) -> None:
    assert_delivered(target.send("people"))
    assert_delivered(target.send("people", document={"other": 1}))
    assert target.documents("people") == ARRIVED
    assert_delivered(target.send("people", document={"other": 1}, replace=True))
    assert target.documents("people") == [{"other": 1}] * len(EVENTS)


@pytest.mark.parametrize("id", ["a b/ü+(1)*'!~&=%?#", "日本"])
def test_any_text_is_an_id(target: Target, id: str) -> None:
    assert_delivered(target.send("events", EVENTS[:1], id=id), 1)
    assert target.node.found("events", quote(id, safe="")) == ARRIVED[0]


def test_the_document_that_comes_with_it_is_taken(target: Target) -> None:
    assert_delivered(target.send("as-it-comes", document=None))
    assert [found["distinct_id"] for found in target.documents("as-it-comes")] == ["ada-0", "ada-1", "ada-2"]
    fields = target.node.ask("GET", "/as-it-comes/_mapping")["as-it-comes"]["mappings"]["properties"]
    assert fields["@timestamp"] == {"type": "date"}


def test_what_does_not_fit_is_told_in_the_server_s_words(target: Target) -> None:
    [outcome] = target.send("typed", EVENTS[:1])
    assert outcome.verdict is Verdict.FAILED
    error = json.loads(outcome.body)["error"]
    assert (outcome.status, error["type"]) == (400, "mapper_parsing_exception")
    assert "failed to parse field [what.plan] of type [long]" in error["reason"]


@of_opensearch
@pytest.mark.parametrize(
    ("inputs", "status", "words"),
    [
        ({"password": PASSWORD[::-1]}, 401, "Unauthorized"),
        ({"user": STRANGER}, 403, "no permissions for [indices:data/write/index]"),
        ({"user": NARROW}, 403, "no permissions for [indices:data/write/bulk]"),
    ],
    ids=["a wrong password", "a reader", "the index without the cluster"],
)
def test_who_may_not_write_is_refused(target: Target, inputs: dict[str, str], status: int, words: str) -> None:
    [outcome] = target.send("events", EVENTS[:1], id="refused", **inputs)
    assert (outcome.verdict, outcome.status) == (Verdict.FAILED, status)
    assert words in outcome.body.decode()
    assert target.node.found("events", "refused") is None


@of_opensearch
def test_a_data_stream_takes_each_event_once_and_no_replacement(target: Target) -> None:
    template = {"index_patterns": ["stream-*"], "data_stream": {}}
    target.node.ask("PUT", "/_index_template/streams", template)
    target.node.ask("PUT", "/_data_stream/stream-of-events")
    document = {**WRITTEN, "what": "{jsonStringify(event.properties)}", "@timestamp": "{event.timestamp}"}
    for _ in range(2):
        assert_delivered(target.send("stream-of-events", document=document))
    target.node.ask("POST", "/stream-of-events/_refresh")
    hits = target.node.ask("GET", "/stream-of-events/_search")["hits"]["hits"]
    assert sorted(hit["_id"] for hit in hits) == [event["uuid"] for event in EVENTS]
    [outcome] = target.send("stream-of-events", EVENTS[:1], document=document, replace=True)
    assert (outcome.verdict, outcome.status) == (Verdict.FAILED, 400)
    assert "only write ops with an op_type of create are allowed in data streams" in outcome.body.decode()
