"""The destinations in effect while people edit their files. Every look at the directory is asked for by the test."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import catalog
from connectors.config_store import REMOVED_AFTER_S, ConfigStore
from destinations import Secrets, Site, Watched
from records import Source, Status

URL = "inputs: {url: 'https://a.example/'}"
BROKEN = f"nam: CRM\n{URL}"
PROBLEM = "crm.yaml: nam (2,1): unknown key 'nam'; did you mean 'name'?"


class Directory:
    """Real files, the store over them, and what the store has shown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown: list[tuple[str, str, str]] = []
        self.now = 0.0
        path.mkdir()
        self.store = self.open_store()

    def open_store(self, *shown_before: str) -> ConfigStore:
        watched = Watched(self.path, Secrets(lambda _: None), catalog.builtin())
        return ConfigStore(watched, Site(), self._show, shown_before, lambda: self.now)

    def _show(self, status: Status) -> None:
        self.shown.append((status.id, status.state, status.problem.replace(f"{self.path}/", "")))

    def write(self, id: str, text: str = URL) -> None:
        (self.path / f"{id}.yaml").write_text(f"id: {id}\n{text}")

    def look(self) -> list[tuple[str, str, str]]:
        """What is shown because of the changes since the last look."""
        self.shown = []
        self.store.refresh()
        return self.shown


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "destinations")


def test_before_anything_is_read_there_is_nothing(directory: Directory) -> None:
    store = directory.store
    assert (store.find("crm"), list(store.candidates(1, "a")), store.ids(), store.problems()) == (None, [], [], {})


def test_each_source_has_its_destinations(directory: Directory) -> None:
    store = directory.store
    directory.write("ads")
    directory.look()
    assert (store.takes(Source.EVENTS), store.takes(Source.PERSON_UPDATES)) == (True, False)
    directory.write("crm", f"filters: {{source: person-updates}}\n{URL}")
    directory.look()
    assert store.takes(Source.PERSON_UPDATES)
    found = {source: [one.id for one in store.candidates(1, "$person_updated", source)] for source in Source}
    assert found == {Source.EVENTS: ["ads"], Source.PERSON_UPDATES: ["crm"]}
    assert store.ids() == ["ads", "crm"]
    directory.write("crm", f"enabled: false\nfilters: {{source: person-updates}}\n{URL}")
    directory.look()
    assert not store.takes(Source.PERSON_UPDATES)


def test_how_the_project_is_shown_follows_its_file(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    store, file = directory.store, directory.path / "project.yaml"
    directory.look()
    assert store.site.project(1).name == "project 1"
    for text, name in (("name: Shop", "Shop"), ("name: [", "Shop"), ("name: Store", "Store")):
        file.write_text(text)
        directory.look()
        assert store.site.project(1).name == name
    file.unlink()
    directory.look()
    assert store.site.project(1).name == "Store", "it may be on its way back"
    monkeypatch.setattr("destinations.watched.PROJECT_GONE_S", 0.0)
    directory.look()
    assert store.site.project(1).name == "project 1"


def test_who_waits_for_what_nobody_reads_is_told(directory: Directory, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(directory.path, Secrets(lambda _: None), catalog.builtin())
    store = ConfigStore(watched, Site(), lambda _: None, unread={Source.PERSON_UPDATES: "--persons"})
    directory.write("ads")
    directory.write("crm", f"filters: {{source: person-updates}}\n{URL}")
    store.refresh()
    store.refresh()
    assert caplog.messages == ["crm: takes person-updates, which are not read, so it gets nothing: give --persons"]


def test_added_changed_disabled_removed(directory: Directory) -> None:
    store = directory.store
    directory.write("crm", f"name: CRM\nfilters: {{when: \"event = 'a'\"}}\n{URL}")
    directory.write("ads")
    assert directory.look() == [("ads", "live", ""), ("crm", "live", "")]
    assert [one.id for one in store.candidates(1, "a")] == ["ads", "crm"]
    assert [one.id for one in store.candidates(1, "b")] == ["ads"]
    assert directory.look() == []

    directory.write("crm", f"name: New\n{URL}")
    assert directory.look() == [("crm", "live", "")]
    changed = store.find("crm")
    assert changed is not None
    assert changed.name == "New"
    assert [one.id for one in store.candidates(1, "b")] == ["ads", "crm"]

    directory.write("crm", f"enabled: false\n{URL}")
    assert directory.look() == [("crm", "disabled", "")]
    assert (store.find("crm"), store.ids(), store.removed("crm")) == (None, ["ads"], False)

    (directory.path / "crm.yaml").unlink()
    assert directory.look() == []
    assert directory.look() == [("crm", "removed", "")]
    assert (store.ids(), store.removed("crm"), store.removed("ads")) == (["ads"], False, False)
    directory.now += REMOVED_AFTER_S
    assert (store.removed("crm"), store.removed("ads")) == (True, False)


def test_a_file_that_is_deleted_and_written_anew_was_never_removed(directory: Directory) -> None:
    directory.write("crm")
    directory.write("ads")
    directory.look()
    (directory.path / "crm.yaml").unlink()
    directory.look()
    assert directory.store.find("crm") is not None
    directory.look()
    directory.now += REMOVED_AFTER_S - 1
    assert (directory.store.find("crm"), directory.store.removed("crm")) == (None, False)
    directory.write("crm")
    directory.look()
    directory.now += REMOVED_AFTER_S
    assert directory.store.find("crm") is not None
    assert not directory.store.removed("crm")


def test_an_empty_directory_is_more_likely_not_mounted_than_meant(directory: Directory) -> None:
    directory.look()
    directory.now += REMOVED_AFTER_S
    assert not directory.store.removed("crm")
    directory.write("ads")
    directory.look()
    assert directory.store.removed("crm")


def test_a_file_that_becomes_wrong_keeps_its_last_good_version_until_it_is_repaired(directory: Directory) -> None:
    store = directory.store
    directory.write("crm", f"name: CRM\n{URL}")
    directory.look()
    good = store.find("crm")

    directory.write("crm", BROKEN)
    problem = f"{PROBLEM}; its last good version runs on"
    assert directory.look() == [("crm", "invalid", problem)]
    assert store.find("crm") is good
    assert store.problem("crm").endswith(problem)
    assert [each.path for each in store.problems()["crm"]] == ["nam"]
    assert not store.removed("crm")
    assert directory.look() == []

    directory.write("crm", f"name: CRM\n{URL}\n")
    assert directory.look()[-1] == ("crm", "live", "")
    assert (store.problems(), store.problem("crm")) == ({}, "")


def test_a_file_that_was_never_right_is_invalid_and_stops_no_other(directory: Directory) -> None:
    store = directory.store
    directory.write("crm", BROKEN)
    directory.write("ads")
    assert directory.look() == [("ads", "live", ""), ("crm", "invalid", PROBLEM)]
    assert (store.find("crm"), store.ids(), store.removed("crm")) == (None, ["ads"], False)
    (directory.path / "crm.yaml").unlink()
    directory.look()
    assert directory.look() == [("crm", "removed", "")]
    directory.now += REMOVED_AFTER_S
    assert store.removed("crm")


def test_a_directory_that_is_away_for_a_moment_removes_nothing(directory: Directory) -> None:
    directory.write("crm")
    directory.look()
    away = directory.path.rename(directory.path.with_name("away"))
    assert directory.look() == []
    assert directory.store.ids() == ["crm"]
    assert not directory.store.removed("crm")
    assert not directory.store.removed("unknown"), "nobody can tell now"
    away.rename(directory.path)
    directory.look()
    directory.now += REMOVED_AFTER_S
    assert directory.store.removed("unknown")


def test_a_project_that_does_not_load_keeps_no_destination(directory: Directory) -> None:
    directory.write("crm")
    directory.write("ads")
    (directory.path / "project.yaml").write_text("nope: 1")
    directory.look()
    (directory.path / "crm.yaml").unlink()
    # One that is gone for one look may be on its way back.
    directory.look()
    directory.look()
    directory.now += REMOVED_AFTER_S
    assert (directory.store.removed("crm"), directory.store.removed("ads")) == (True, False)


def test_a_batch_sees_one_view_while_the_next_one_is_made(directory: Directory) -> None:
    directory.write("crm")
    directory.look()
    before = directory.store.candidates(1, "a")
    directory.write("ads")
    directory.look()
    assert [one.id for one in before] == ["crm"]


def test_what_happened_is_logged_but_not_the_first_reading(
    directory: Directory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "offramp.destinations")
    directory.write("crm")
    directory.look()
    assert caplog.messages == []
    directory.write("ads")
    directory.write("crm", BROKEN)
    directory.look()
    added, broken = caplog.messages
    assert added == "added: ads"
    assert broken.splitlines()[0].endswith(PROBLEM)
    assert broken.splitlines()[1:] == ["nam: CRM", "^"]


@pytest.fixture
def opened(directory: Directory) -> Iterator[Directory]:
    """With the store opened, whose thread looks by itself."""
    directory.write("crm")
    directory.store = directory.open_store("crm", "gone")
    directory.store.open()
    yield directory
    directory.store.close()


def test_a_mistake_that_all_destinations_share_is_nobodys_status(directory: Directory) -> None:
    directory.write("crm")
    (directory.path / "project.yaml").write_text("timezone: Europe/Oslo")
    directory.look()
    (directory.path / "project.yaml").write_text("nope: 1")
    assert directory.look() == []
    assert list(directory.store.problems()) == [""]
    (directory.path / "project.yaml").write_text("timezone: UTC")
    assert directory.look() == [("crm", "live", "")]
    assert directory.store.problems() == {}


def test_open_reads_everything_at_once_and_shows_what_went_while_no_job_ran(opened: Directory) -> None:
    assert opened.store.ids() == ["crm"]
    assert opened.shown == [("crm", "live", ""), ("gone", "removed", "")]


def test_an_edit_is_noticed_without_being_asked(directory: Directory) -> None:
    seen = threading.Event()
    watched = Watched(directory.path, Secrets(lambda _: None), catalog.builtin())
    store = ConfigStore(watched, Site(), lambda status: seen.set() if status.id == "crm" else None)
    store.open()
    try:
        directory.write("crm")
        assert seen.wait(10)
        assert store.ids() == ["crm"]
    finally:
        store.close()
