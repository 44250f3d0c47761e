"""The person table: which version wins, what a deletion means, and what survives a kill."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.person_table import (
    PersonTable,
    PersonTableError,
    Position,
    Row,
    distinct_id_row,
    group_row,
    person_row,
)
from records import Deleted, Group, Person

ROOT = Path(__file__).parents[2]


@pytest.fixture
def table(tmp_path: Path) -> Iterator[PersonTable]:
    opened = PersonTable(tmp_path / "persons")
    yield opened
    opened.close()


def test_a_distinct_id_leads_to_its_person(table: PersonTable) -> None:
    table.apply([person_row(1, "p", b'{"plan":"pro"}'), distinct_id_row(1, "d", "p")], {})
    assert table.lookup(1, "d") == Person("p", b'{"plan":"pro"}')
    assert table.person(1, "p") == Person("p", b'{"plan":"pro"}')


def test_the_highest_version_wins_whatever_came_last(table: PersonTable) -> None:
    table.apply([person_row(1, "p", b'{"v":2}', version=2)], {})
    table.apply([person_row(1, "p", b'{"v":1}', version=1)], {})
    assert table.person(1, "p") == Person("p", b'{"v":2}')


def test_of_equal_versions_the_later_message_wins(table: PersonTable) -> None:
    table.apply([person_row(1, "p", b'{"n":1}', 3), person_row(1, "p", b'{"n":2}', 3)], {})
    assert table.person(1, "p") == Person("p", b'{"n":2}')
    table.apply([person_row(1, "p", b'{"n":3}', 3)], {})
    assert table.person(1, "p") == Person("p", b'{"n":3}')


def test_a_merge_moves_a_distinct_id(table: PersonTable) -> None:
    table.apply(
        [
            person_row(1, "old", b'{"who":"old"}'),
            person_row(1, "new", b'{"who":"new"}'),
            distinct_id_row(1, "anon", "old"),
            distinct_id_row(1, "user", "new"),
        ],
        {},
    )
    table.apply([distinct_id_row(1, "anon", "new", version=1), person_row(1, "old", b"{}", 100, deleted=True)], {})
    assert table.lookup(1, "anon") == table.lookup(1, "user") == Person("new", b'{"who":"new"}')


def test_never_heard_of_is_not_deleted(table: PersonTable) -> None:
    table.apply(
        [
            person_row(1, "gone", b"{}", 101, deleted=True),
            distinct_id_row(1, "of gone", "gone"),
            person_row(1, "here", b"{}"),
            distinct_id_row(1, "gone itself", "here", 5, deleted=True),
            distinct_id_row(1, "of nobody", "not sent yet"),
        ],
        {},
    )
    assert table.lookup(1, "of gone") == Deleted(101)
    assert table.lookup(1, "gone itself") == Deleted(5)
    assert table.person(1, "gone") == Deleted(101)
    assert table.lookup(1, "unknown") is None
    assert table.lookup(1, "of nobody") is None
    assert table.person(1, "unknown") is None


def test_an_older_version_does_not_bring_a_deleted_person_back(table: PersonTable) -> None:
    table.apply([person_row(1, "p", b"{}", 101, deleted=True)], {})
    table.apply([person_row(1, "p", b'{"v":7}', 7)], {})
    assert table.person(1, "p") == Deleted(101)
    table.apply([person_row(1, "p", b'{"v":102}', 102)], {})
    assert table.person(1, "p") == Person("p", b'{"v":102}')


def test_projects_do_not_see_each_other(table: PersonTable) -> None:
    table.apply([person_row(1, "p", b'{"of":1}'), person_row(11, "p", b'{"of":11}'), distinct_id_row(1, "d", "p")], {})
    assert table.person(1, "p") == Person("p", b'{"of":1}')
    assert table.person(11, "p") == Person("p", b'{"of":11}')
    assert table.lookup(11, "d") is None


@pytest.mark.parametrize("distinct_id", ["", "/", "a/b", "\0", "é" * 2_000, "\ud800", "p1/x"])
def test_a_lookup_takes_any_text_and_any_project(table: PersonTable, distinct_id: str) -> None:
    assert table.lookup(1, distinct_id) is None
    assert table.lookup(-(2**80), distinct_id) is None
    assert table.person(1, distinct_id) is None
    assert table.groups_with_key(1, distinct_id) == []


def test_groups_by_type_and_by_key(table: PersonTable) -> None:
    table.apply(
        [
            group_row(1, 0, "acme", b'{"t":0}'),
            group_row(1, 3, "acme", b'{"t":3}'),
            group_row(1, 1, "other", b"{}"),
            group_row(1, 2, "acme", b"{}", 1, deleted=True),
        ],
        {},
    )
    assert table.group(1, 3, "acme") == Group(3, "acme", b'{"t":3}')
    assert table.group(1, 2, "acme") is None
    assert table.group(1, 1, "acme") is None
    assert table.groups_with_key(1, "acme") == [Group(0, "acme", b'{"t":0}'), Group(3, "acme", b'{"t":3}')]
    assert table.groups_with_key(2, "acme") == []


def test_rows_and_positions_are_there_after_reopening(tmp_path: Path) -> None:
    table = PersonTable(tmp_path)
    assert table.positions() == {}
    table.apply(
        [person_row(1, "p", b'{"a":1}', 4)], {"kafka:persons/0": Position(17, "cluster"), "file:/x/0": Position(2**40)}
    )
    table.close()
    table = PersonTable(tmp_path)
    assert table.person(1, "p") == Person("p", b'{"a":1}')
    assert table.positions() == {"kafka:persons/0": Position(17, "cluster"), "file:/x/0": Position(2**40, "")}
    assert table.offsets() == {"kafka:persons/0": 17, "file:/x/0": 2**40}
    table.close()


def test_a_folder_in_use_is_refused(table: PersonTable, tmp_path: Path) -> None:
    with pytest.raises(PersonTableError) as caught:
        PersonTable(tmp_path / "persons")
    assert str(caught.value).startswith(f"{tmp_path / 'persons'}: cannot open the person table: IO error")
    assert str(caught.value).endswith(
        "Is another job running on this folder? If not, delete the folder: the table is then read again from its inputs"
    )


def test_who_only_reads_sees_the_table_of_the_moment_while_it_is_written(table: PersonTable, tmp_path: Path) -> None:
    table.apply([person_row(1, "p", b"{}"), distinct_id_row(1, "d", "p")], {})
    reader = PersonTable(tmp_path / "persons", read_only=True)
    table.apply([person_row(1, "p", b'{"plan":"pro"}', 1)], {})
    assert reader.lookup(1, "d") == Person("p", b"{}")
    reader.close()
    assert table.lookup(1, "d") == Person("p", b'{"plan":"pro"}')
    (tmp_path / "empty").mkdir()
    for missing in ("nowhere", "empty"):
        with pytest.raises(PersonTableError, match="cannot be read"):
            PersonTable(tmp_path / missing, read_only=True)


def test_lookups_from_threads_while_rows_are_applied(table: PersonTable) -> None:
    table.apply([distinct_id_row(1, f"d{n}", f"p{n}") for n in range(200)], {})
    table.apply([person_row(1, f"p{n}", b'{"round":0}') for n in range(200)], {})
    wrong: list[object] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for n in range(200):
                found = table.lookup(1, f"d{n}")
                if not isinstance(found, Person) or not found.properties.startswith(b'{"round":'):
                    wrong.append(found)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(1, 21):
        table.apply([person_row(1, f"p{n}", b'{"round":%d}' % turn, turn) for n in range(200)], {})
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert table.lookup(1, "d7") == Person("p7", b'{"round":20}')


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 6),
        st.booleans(),
        st.sampled_from(["x", "y", "z"]),
    ),
    max_size=12,
    # One message per key and version: only then does the order say nothing.
    unique_by=lambda message: (message[0], message[1]),
)


@settings(max_examples=40)
@given(messages=MESSAGES, data=st.data())
def test_any_order_and_any_batching_give_the_highest_versions(
    messages: list[tuple[str, int, bool, str]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected: dict[str, tuple[int, bool, str]] = {}
    for key, version, deleted, person in messages:
        expected[key] = max(expected.get(key, (-1, False, "")), (version, deleted, person))
    shuffled = data.draw(st.permutations(messages))
    size = data.draw(st.integers(1, 5))
    table = PersonTable(tmp_path_factory.mktemp("any-order"))
    persons = {name: person_row(1, name, b'{"n":"%b"}' % name.encode()) for name in "xyz"}
    table.apply(list(persons.values()), {})
    rows: list[Row] = [distinct_id_row(1, key, person, version, deleted) for key, version, deleted, person in shuffled]
    for first in range(0, len(rows), size):
        table.apply(rows[first : first + size], {})
    for key in "ab":
        version, deleted, person = expected.get(key, (-1, False, ""))
        answer = table.lookup(1, key)
        if version < 0:
            assert answer is None
        elif deleted:
            assert answer == Deleted(version)
        else:
            assert answer == Person(person, b'{"n":"%b"}' % person.encode())
    table.close()


WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from connectors.person_table import PersonTable, Position, person_row
    table = PersonTable(Path(sys.argv[1]))
    for turn in range(1, 1_000_000):
        rows = [person_row(1, f"p{n}", b'{"turn":%d}' % turn, turn) for n in range(500)]
        table.apply(rows, {"kafka:persons/0": Position(turn)})
        print(turn, flush=True)
    """
)


def test_a_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT, env=os.environ, text=True
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= 25:
            break
    writer.send_signal(signal.SIGKILL)
    acknowledged = [int(line) for line in writer.stdout.read().split()]
    writer.wait()
    writer.stdout.close()

    table = PersonTable(tmp_path)
    turn = table.offsets()["kafka:persons/0"]
    assert turn >= max(acknowledged, default=25)
    assert {table.person(1, f"p{n}") for n in range(500)} == {
        Person(f"p{n}", b'{"turn":%d}' % turn) for n in range(500)
    }
    table.close()
