"""Files that change while the job runs."""

import os
from pathlib import Path

import pytest

import catalog
from destinations import Changes, Secrets, Watched

URL = "inputs: {url: 'https://a.b'}"
LATER = 4e9


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path, Secrets(lambda name: None), catalog.builtin())


def _write(directory: Path, id: str, more: str = URL) -> None:
    (directory / f"{id}.yaml").write_text(f"id: {id}\n{more}")


def test_added_changed_removed(tmp_path: Path, watched: Watched) -> None:
    _write(tmp_path, "a")
    _write(tmp_path, "b")
    assert watched.poll(LATER) == Changes(added=("a", "b"))
    kept = watched.destinations["a"]
    assert not watched.poll(LATER)
    _write(tmp_path, "b", f"name: B\n{URL}")
    _write(tmp_path, "c")
    assert watched.poll(LATER) == Changes(added=("c",), changed=("b",))
    assert watched.destinations["a"] is kept
    (tmp_path / "a.yaml").unlink()
    assert not watched.poll(LATER)
    assert watched.poll(LATER) == Changes(removed=("a",))
    assert sorted(watched.destinations) == ["b", "c"]


def test_a_file_that_is_deleted_and_written_anew_stays_in_effect(tmp_path: Path, watched: Watched) -> None:
    _write(tmp_path, "a")
    watched.poll(LATER)
    for name in ("second", "third"):
        (tmp_path / "a.yaml").unlink()
        assert not watched.poll(LATER)
        assert "a" in watched.destinations
        _write(tmp_path, "a", f"name: {name}\n{URL}")
        assert watched.poll(LATER) == Changes(changed=("a",))
    (tmp_path / "a.yaml").rename(tmp_path / "a.yml")
    assert watched.poll(LATER) == Changes(changed=("a",))
    assert watched.problems == []


def test_an_invalid_file_keeps_its_last_good_version(tmp_path: Path, watched: Watched) -> None:
    _write(tmp_path, "a", f"name: good\n{URL}")
    watched.poll(LATER)
    _write(tmp_path, "a", f"nam: half writ\n{URL}")
    assert watched.poll(LATER) == Changes(invalid=("a",))
    assert watched.destinations["a"].name == "good"
    assert [problem.path for problem in watched.problems] == ["nam"]
    assert not watched.poll(LATER)
    _write(tmp_path, "a", f"name: better\n{URL}")
    assert watched.poll(LATER) == Changes(changed=("a",))
    assert watched.problems == []


def test_a_file_that_was_never_valid_is_only_a_problem(tmp_path: Path, watched: Watched) -> None:
    _write(tmp_path, "a", "")
    assert watched.poll(LATER) == Changes(invalid=("a",))
    assert watched.destinations == {}


def test_a_young_file_is_compared_by_content(tmp_path: Path, watched: Watched) -> None:
    file = tmp_path / "a.yaml"
    _write(tmp_path, "a", f"name: one\n{URL}")
    watched.poll(1000.0)
    stamp = file.stat()
    _write(tmp_path, "a", f"name: two\n{URL}")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert watched.poll(stamp.st_mtime_ns / 1e9 + 1).changed == ("a",)


def test_touching_a_file_changes_nothing(tmp_path: Path, watched: Watched) -> None:
    _write(tmp_path, "a")
    watched.poll(LATER)
    kept = watched.destinations["a"]
    os.utime(tmp_path / "a.yaml", (1, 1))
    assert not watched.poll(LATER)
    assert watched.destinations["a"] is kept


def test_a_directory_that_is_away_removes_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    directory.mkdir()
    _write(directory, "a")
    watched = Watched(directory, Secrets(lambda name: None), catalog.builtin())
    watched.poll(LATER)
    directory.rename(tmp_path / "e")
    assert watched.poll(LATER).removed == ()
    assert list(watched.destinations) == ["a"]
    assert [problem.message for problem in watched.problems] == ["cannot be read: No such file or directory"]


def test_the_kept_file_of_two_with_one_id_can_be_deleted(tmp_path: Path, watched: Watched) -> None:
    _write(tmp_path, "a", f"name: yaml\n{URL}")
    (tmp_path / "a.yml").write_text(f"id: a\nname: yml\n{URL}")
    watched.poll(LATER)
    assert watched.destinations["a"].name == "yaml"
    (tmp_path / "a.yaml").unlink()
    assert watched.poll(LATER) == Changes(changed=("a",))
    assert (watched.destinations["a"].name, watched.problems) == ("yml", [])


def test_a_secret_that_changes_is_a_change_of_the_files_that_use_it(tmp_path: Path) -> None:
    values: dict[str, str] = {}
    why = {"TOKEN": ""}
    secrets = Secrets(values.get, lambda name: why.get(name, ""))
    watched = Watched(tmp_path, secrets, catalog.builtin())
    _write(tmp_path, "a", "inputs: {url: 'https://a.b/{secrets.TOKEN}'}")
    _write(tmp_path, "b")
    assert watched.poll(LATER) == Changes(added=("b",), invalid=("a",))
    assert not watched.poll(LATER)
    why["TOKEN"] = "secret 'TOKEN' is stored, but cannot be opened: no key"
    assert watched.poll(LATER) == Changes(invalid=("a",))
    assert [problem.message for problem in watched.problems] == list(why.values())
    values["TOKEN"] = "hunter2"
    assert watched.poll(LATER) == Changes(added=("a",))
    assert not watched.poll(LATER)
    values["TOKEN"] = "hunter3"
    assert watched.poll(LATER) == Changes(changed=("a",))
    assert watched.destinations["a"].redact("hunter3") == "***"
    del values["TOKEN"]
    assert watched.poll(LATER) == Changes(invalid=("a",))
    assert sorted(watched.destinations) == ["a", "b"]


def test_a_look_asks_for_each_secret_once_and_shows_none(tmp_path: Path) -> None:
    asked: list[str] = []

    def lookup(name: str) -> str:
        asked.append(name)
        return "hunter2"

    watched = Watched(tmp_path, Secrets(lookup), catalog.builtin())
    for id in ("a", "b", "c"):
        _write(tmp_path, id, "inputs: {url: 'https://a.b/{secrets.TOKEN}'}")
    for _ in range(2):
        watched.poll(LATER)
        assert asked == ["TOKEN"]
        asked.clear()
    assert "hunter2" not in repr(watched._files)
