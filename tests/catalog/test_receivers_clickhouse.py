"""The template of ClickHouse against ClickHouse's engine: its statement, its settings, and the rows that are there.

Users, passwords and statuses are the server's, which is not here (see `tests.servers.clickhouse`): they are not tried.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.http import HttpTransport
from records import Outcome, Verdict
from tests.catalog.sent import ARRIVED, EVENTS, TEMPLATES, WRITTEN, assert_delivered, send
from tests.connectors.sending import running
from tests.servers.clickhouse import ClickHouse, clickhouse, fetch
from tests.servers.components import present

COLUMNS = "uuid UUID, name String, what String, who Nullable(String)"
ROW = {**WRITTEN, "what": "{jsonStringify(event.properties)}"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    present(fetch)
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as started:
        yield started


@pytest.fixture(scope="module")
def transport() -> Iterator[HttpTransport]:
    with running() as started:
        yield started


@pytest.fixture
def table(engine: ClickHouse) -> Iterator[str]:
    """A new one."""
    engine.ask(f"CREATE TABLE events ({COLUMNS}) ENGINE = MergeTree ORDER BY uuid")
    yield "events"
    engine.ask("DROP TABLE events")


def sent(engine: ClickHouse, transport: HttpTransport, events: Any = tuple(EVENTS), **inputs: Any) -> list[Outcome]:
    # Full as it comes, so that nothing is waited for.
    batch = {**TEMPLATES["clickhouse"].spec.delivery["batch"], "max": len(events)}
    given = {"host": f"{engine.url}/", "password": "a secret", **inputs}
    return send(transport, "clickhouse", given, events, batch=batch)


def statement() -> str:
    """What its README says to begin with."""
    readme = (TEMPLATES["clickhouse"].folder / "README.md").read_text("utf-8")
    [found] = re.findall(r"```sql\n(.*?)```", readme, re.DOTALL)
    return str(found)


def test_the_table_of_the_readme_takes_the_row_that_comes_with_it(engine: ClickHouse, transport: HttpTransport) -> None:
    engine.ask(statement())
    for _ in range(2):
        assert_delivered(sent(engine, transport, table="events"))
    rows = engine.ask("SELECT * FROM events FINAL ORDER BY uuid")
    assert [json.loads(row.pop("properties")) for row in rows] == [event["properties"] for event in EVENTS]
    assert [(row["uuid"], row["event"], row["distinct_id"]) for row in rows] == [
        (event["uuid"], event["event"], event["distinct_id"]) for event in EVENTS
    ]
    assert {row["timestamp"] for row in rows} == {"2026-11-20 10:00:00.000"}
    engine.ask("DROP TABLE events")


def test_each_event_is_one_row(engine: ClickHouse, transport: HttpTransport, table: str) -> None:
    assert_delivered(sent(engine, transport, table=table, row=ROW))
    rows = engine.ask(f"SELECT * FROM {table} ORDER BY uuid")
    assert [row | {"what": json.loads(row["what"])} for row in rows] == ARRIVED


def test_tables_and_databases_may_have_odd_names(engine: ClickHouse, transport: HttpTransport) -> None:
    engine.ask("CREATE DATABASE `a shop & söhne`")
    engine.ask(f"CREATE TABLE `a shop & söhne`.`my table?` ({COLUMNS}) ENGINE = Memory")
    inputs = {"database": "a shop & söhne", "table": "my table?", "row": ROW}
    assert_delivered(sent(engine, transport, **inputs))
    assert engine.ask("SELECT count() AS rows FROM `a shop & söhne`.`my table?`") == [{"rows": len(EVENTS)}]


def test_null_takes_the_default_and_times_may_be_iso(engine: ClickHouse, transport: HttpTransport) -> None:
    columns = "uuid UUID, plan String DEFAULT 'none', day Date, at DateTime64(6, 'UTC'), price Nullable(Decimal(9, 2))"
    engine.ask(f"CREATE TABLE typed ({columns}) ENGINE = Memory")
    at = "2026-11-20T11:00:00.123456+01:00"
    row = {"uuid": "{event.uuid}", "plan": "{event.properties.nothing}", "day": "2026-11-20", "at": at, "price": 9.99}
    assert_delivered(sent(engine, transport, EVENTS[:1], table="typed", row=row), 1)
    [found] = engine.ask("SELECT * FROM typed")
    assert (found["plan"], found["day"], found["price"]) == ("none", "2026-11-20", 9.99)
    assert found["at"] == "2026-11-20 10:00:00.123456"


def test_lists_and_objects_go_into_columns_of_their_types(engine: ClickHouse, transport: HttpTransport) -> None:
    engine.ask("CREATE TABLE nested (tags Array(String), what Map(String, String), whole JSON) ENGINE = Memory")
    event = EVENTS[0] | {"properties": {"tags": ["a", "ü"], "what": {"k": "v"}}}
    row = {"tags": "{event.properties.tags}", "what": "{event.properties.what}", "whole": "{event.properties}"}
    assert_delivered(sent(engine, transport, [event], table="nested", row=row), 1)
    [found] = engine.ask("SELECT tags, what, whole.tags AS inner FROM nested")
    assert found == {"tags": ["a", "ü"], "what": {"k": "v"}, "inner": ["a", "ü"]}


def test_rows_that_do_not_fit_are_refused_and_the_others_are_there(
    engine: ClickHouse, transport: HttpTransport, table: str
) -> None:
    outcomes = sent(engine, transport, table=table, row={**ROW, "uuid": "{event.properties.plan ?? event.uuid}"})
    refused = [one for one in outcomes if one.verdict is Verdict.FAILED]
    assert sorted(one.event_uuid for one in refused) == [EVENTS[0]["uuid"], EVENTS[2]["uuid"]]
    assert all(b"CANNOT_PARSE_UUID" in one.body for one in refused)
    assert [row["uuid"] for row in engine.ask(f"SELECT uuid FROM {table}")] == [EVENTS[1]["uuid"]]


def test_a_table_that_is_not_there_is_told_in_the_engine_s_words(engine: ClickHouse, transport: HttpTransport) -> None:
    [outcome] = sent(engine, transport, EVENTS[:1], table="nowhere", row=ROW)
    assert outcome.verdict is Verdict.FAILED
    assert b"Code: 60. DB::Exception: Table default.nowhere does not exist" in outcome.body
    assert b"UNKNOWN_TABLE" in outcome.body
