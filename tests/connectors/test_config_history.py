"""Versions of destination files: who made them, what is refused, and what is left when a process is killed half-way."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import catalog
from connectors.config_history import (
    BY_HAND,
    FILE,
    ConfigHistory,
    ConflictError,
    RefusedError,
    UnknownVersionError,
    Version,
)
from connectors.destination_file import DestinationFileError, DestinationFiles, Staged
from connectors.state_file import StateFileError
from destinations import Secrets

ROOT = Path(__file__).parents[2]
ONE = "id: crm  # one\ninputs: {url: 'https://a.example/'}\n"
TWO = ONE.replace("one", "two")
THREE = ONE.replace("one", "three")


class Place:
    """A directory of destinations and a state, and the history over both."""

    def __init__(self, folder: Path) -> None:
        self.directory, self.state = folder / "destinations", folder / "state"
        self.directory.mkdir()
        self.file = self.directory / "crm.yaml"
        (self.directory / "other.yaml").write_text(ONE.replace("crm", "other"))
        self.now = 100.0
        self.history = self.another()

    def another(self) -> ConfigHistory:
        return ConfigHistory(self.directory, self.state, Secrets(lambda _: None), catalog.builtin(), lambda: self.now)

    def told(self) -> list[tuple[int, str, str | None]]:
        """The versions, oldest first."""
        return [(one.number, one.author, one.text) for one in reversed(self.history.versions("crm"))]

    def hidden(self) -> list[str]:
        return [path.name for path in self.directory.iterdir() if path.name.startswith(".")]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_saved_is_in_the_file_and_in_the_history(place: Place) -> None:
    history = place.history
    assert history.current("crm") is None
    assert history.save("crm", ONE, "ada", "new", expected_version=0) == Version("crm", 1, 100.0, "ada", "new", ONE)
    place.now = 200.0
    assert history.save("crm", TWO, "bob", expected_version=1).number == 2
    assert place.file.read_text() == TWO
    assert history.versions("crm") == [
        Version("crm", 2, 200.0, "bob", "", TWO),
        Version("crm", 1, 100.0, "ada", "new", ONE),
    ]
    assert history.version("crm", 1).text == ONE
    assert history.save("crm", TWO, "eve", expected_version=2).author == "bob"
    assert history.ids() == ["crm", "other"]
    assert place.hidden() == []


def test_a_change_by_hand_is_a_version_of_the_file_itself(place: Place) -> None:
    place.file.write_text(ONE)
    assert place.told() == [(1, BY_HAND, ONE)]
    place.history.save("crm", TWO, "ada", expected_version=1)
    place.file.write_text(THREE)
    with pytest.raises(ConflictError) as conflict:
        place.history.save("crm", ONE, "ada", expected_version=2)
    assert (
        str(conflict.value) == "destination 'crm' was changed in the file itself meanwhile: it is version 3 now, not 2"
    )
    assert conflict.value.current is not None
    assert conflict.value.current.text == THREE == place.file.read_text()
    place.file.unlink()
    place.history.look()
    assert place.told() == [(1, BY_HAND, ONE), (2, "ada", TWO), (3, BY_HAND, THREE), (4, BY_HAND, None)]


def test_who_saves_by_hand_during_a_save_is_not_overwritten(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.history.save("crm", ONE, "ada", expected_version=0)
    stage = DestinationFiles.stage

    def stage_slowly(self: DestinationFiles, id: str, data: bytes | None) -> Staged:
        staged = stage(self, id, data)
        place.file.write_text(THREE)
        return staged

    monkeypatch.setattr(DestinationFiles, "stage", stage_slowly)
    for change in (
        lambda: place.history.save("crm", TWO, "ada", expected_version=1),
        lambda: place.history.delete("crm", "ada", expected_version=1),
    ):
        with pytest.raises(ConflictError, match="changed in the file itself meanwhile: it is version 2 now, not 1"):
            change()
    assert place.told() == [(1, "ada", ONE), (2, BY_HAND, THREE)]
    assert (place.file.read_text(), place.hidden()) == (THREE, [])


def test_a_directory_that_is_empty_or_gone_deletes_nothing(place: Place) -> None:
    place.history.save("crm", ONE, "ada", expected_version=0)
    for path in place.directory.iterdir():
        path.unlink()
    assert place.told() == [(1, "ada", ONE)]
    place.history.save("crm", ONE, "ada", expected_version=1)
    assert place.file.read_text() == ONE
    place.file.unlink()
    place.directory.rmdir()
    with pytest.raises(DestinationFileError, match="destinations: cannot be read: No such file or directory"):
        place.history.versions("crm")


def test_two_editors_cannot_overwrite_each_other(place: Place) -> None:
    place.history.save("crm", ONE, "ada", expected_version=0)
    outcomes: list[str] = []

    def save(author: str) -> None:
        try:
            place.another().save("crm", ONE.replace("one", author), author, expected_version=1)
            outcomes.append(author)
        except ConflictError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=save, args=(f"editor-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [one for one in outcomes if one.startswith("editor-")]
    assert {one for one in outcomes if one != winner} == {
        f"destination 'crm' was changed by {winner} meanwhile: it is version 2 now, not 1"
    }
    assert place.told()[1:] == [(2, winner, place.file.read_text())]


def test_what_does_not_load_is_refused_unless_it_is_forced(place: Place) -> None:
    with pytest.raises(RefusedError) as refused:
        place.history.save("crm", ONE + "nam: CRM\n", "ada", expected_version=0)
    assert str(refused.value).endswith("crm.yaml: nam (3,1): unknown key 'nam'; did you mean 'name'?")
    assert [problem.path for problem in refused.value.problems] == ["nam"]
    assert (place.file.exists(), place.told()) == (False, [])
    assert [one.path for one in place.history.problems("crm", ONE + "nam: CRM\n")] == ["nam"]
    place.history.save("crm", ONE + "nam: CRM\n", "ada", expected_version=0, force=True)
    assert place.file.read_text().endswith("nam: CRM\n")


def test_a_secret_as_it_is_is_refused_and_kept_nowhere(place: Place) -> None:
    text = "id: crm\ncode: fetch(inputs.url)\ninputs_schema: {token: {type: string, secret: true}, url: {type: url}}\n"
    text += "inputs:\n  token: hunter2  # hm\n  url: https://a.example/\n"
    with pytest.raises(RefusedError) as refused:
        place.history.save("crm", text, "ada", expected_version=0, force=True)
    assert "a secret must not stand in the file" in str(refused.value)
    assert "hunter2" not in f"{refused.value}{refused.value.problems}"
    place.file.write_text(text)
    assert place.told() == [(1, BY_HAND, text.replace("hunter2", "'***'"))]
    assert place.told() == [(1, BY_HAND, text.replace("hunter2", "'***'"))]
    assert all(b"hunter2" not in path.read_bytes() for path in place.state.iterdir())
    place.history.save("crm", ONE, "ada", expected_version=1)
    with pytest.raises(RefusedError):
        place.history.roll_back("crm", 1, "ada", force=True)


def test_the_way_back_and_what_is_different(place: Place) -> None:
    history = place.history
    history.save("crm", ONE, "ada", expected_version=0)
    history.save("crm", TWO.removesuffix("\n"), "ada", expected_version=1)
    assert history.diff("crm", 1, 2) == (
        "--- crm 1\n+++ crm 2\n@@ -1,2 +1,2 @@\n-id: crm  # one\n-inputs: {url: 'https://a.example/'}\n"
        "+id: crm  # two\n+inputs: {url: 'https://a.example/'}\n\\ No newline at end of file\n"
    )
    assert history.diff("crm", 0, 1).endswith("+id: crm  # one\n+inputs: {url: 'https://a.example/'}\n")
    back = history.roll_back("crm", 1, "bob")
    assert (back.number, back.note, place.file.read_text()) == (3, "back to version 1", ONE)
    gone = history.delete("crm", "bob", "unused", expected_version=3)
    assert (gone.number, gone.text, place.file.exists(), place.hidden()) == (4, None, False, [])
    assert history.delete("crm", "bob", expected_version=4) == gone
    with pytest.raises(ConflictError, match="was deleted by bob meanwhile: it is version 4 now, not 3"):
        history.roll_back("crm", 1, "eve", expected_version=3)
    assert history.roll_back("crm", 1, "eve").number == 5
    assert history.roll_back("crm", 4, "eve").text is None
    assert not place.file.exists()


def test_what_there_is_not(place: Place) -> None:
    with pytest.raises(UnknownVersionError, match="destination 'crm' has no version 1: nothing is known of it"):
        place.history.version("crm", 1)
    with pytest.raises(UnknownVersionError, match="there is no destination 'crm' to delete"):
        place.history.delete("crm", "ada", expected_version=0)
    with pytest.raises(ConflictError, match="destination 'crm' is not there: it has no version 3"):
        place.history.save("crm", ONE, "ada", expected_version=3)
    with pytest.raises(RefusedError, match="destination 'crm' cannot become 'ads': its id is in the webhook-id"):
        place.history.rename("crm", "ads")
    for id in ("../crm", "project", "CRM", ""):
        with pytest.raises(DestinationFileError, match="is no id of a destination"):
            place.history.save(id, ONE, "ada", expected_version=0)


def test_bytes_that_are_no_text_come_back_as_they_were(place: Place) -> None:
    place.file.write_bytes(b"id: crm\r\n# \xff\n")
    assert place.told() == [(1, BY_HAND, "id: crm\r\n# \udcff\n")]
    place.history.save("crm", ONE, "ada", expected_version=1)
    place.history.roll_back("crm", 1, "ada", force=True)
    assert place.file.read_bytes() == b"id: crm\r\n# \xff\n"


def test_permissions_and_links_stay(place: Place, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.yaml"
    target.write_text(ONE)
    target.chmod(0o640)
    place.file.symlink_to(target)
    place.history.save("crm", TWO, "ada", expected_version=1)
    assert place.file.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o777) == (TWO, 0o640)
    place.history.delete("crm", "ada", expected_version=2)
    assert (place.file.is_symlink(), target.read_text()) == (False, TWO)


def test_a_file_that_ends_in_yml_stays_where_it_is(place: Place) -> None:
    other = place.directory / "crm.yml"
    other.write_text(ONE)
    place.history.save("crm", TWO, "ada", expected_version=1)
    assert (other.read_text(), place.file.exists()) == (TWO, False)


def test_a_file_that_cannot_be_written_is_told_and_is_no_version(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.history.save("crm", ONE, "ada", expected_version=0)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        with pytest.raises(DestinationFileError, match=r"crm.yaml: cannot be written: Permission denied"):
            place.history.save("crm", TWO, "ada", expected_version=1)
        with pytest.raises(DestinationFileError, match=r"crm.yaml: cannot be written: Permission denied"):
            place.history.delete("crm", "ada", expected_version=1)
    assert (place.told(), place.file.read_text(), place.hidden()) == ([(1, "ada", ONE)], ONE, [])


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_a_directory_that_cannot_be_written(place: Place) -> None:
    place.directory.chmod(0o555)
    with pytest.raises(DestinationFileError, match="cannot be written: Permission denied"):
        place.history.save("crm", ONE, "ada", expected_version=0)
    place.directory.chmod(0o755)


def test_a_state_of_another_version_is_refused(place: Place) -> None:
    place.history.save("crm", ONE, "ada", expected_version=0)
    connection = sqlite3.connect(place.state / FILE)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(StateFileError, match=r"history .*: made by a newer Offramp \(schema 7, this one knows 1\)"):
        place.history.save("crm", TWO, "ada", expected_version=1)
    assert place.file.read_text() == ONE


KILLED = """
import os, signal, sys
from pathlib import Path
import catalog
from connectors import config_history, destination_file
from destinations import Secrets

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

directory, state, moment, text = sys.argv[1:]
history = config_history.ConfigHistory(Path(directory), Path(state), Secrets(lambda _: None), catalog.builtin())
Staged, Files = destination_file.Staged, destination_file.DestinationFiles
take_place, stage = Staged.take_place, Files.stage
if moment == "laid ready":
    Files.stage = lambda *given: (stage(*given), kill())
elif moment == "noted":
    Staged.take_place = kill
elif moment == "renamed":
    Staged.take_place = lambda self: (take_place(self), kill())
elif moment == "done":
    Staged.clear = kill
if text:
    history.save("crm", text, "killed", expected_version=1)
else:
    history.delete("crm", "killed", expected_version=1)
"""


@pytest.mark.parametrize("text", [TWO, ""])
@pytest.mark.parametrize(
    ("moment", "made"), [("laid ready", False), ("noted", False), ("renamed", True), ("done", True)]
)
def test_a_killed_editor_leaves_all_of_its_change_or_nothing(place: Place, moment: str, made: bool, text: str) -> None:
    place.history.save("crm", ONE, "ada", expected_version=0)
    command = [sys.executable, "-c", KILLED, str(place.directory), str(place.state), moment, text]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    wanted = (text or None) if made else ONE
    assert (place.file.read_text() if place.file.exists() else None) == wanted
    assert place.told() == [(1, "ada", ONE)] + ([(2, "killed", text or None)] if made else [])
    # Who comes next goes on as if nothing had been, also where the file was changed by hand in between.
    place.history.save("crm", THREE, "bob", expected_version=2 if made else 1)
    assert (place.file.read_text(), place.hidden()) == (THREE, [])


@pytest.mark.parametrize(("moment", "made"), [("noted", False), ("renamed", True)])
def test_a_change_by_hand_behind_a_killed_editor_is_a_version_of_its_own(place: Place, moment: str, made: bool) -> None:
    place.history.save("crm", ONE, "ada", expected_version=0)
    command = [sys.executable, "-c", KILLED, str(place.directory), str(place.state), moment, TWO]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    place.file.write_text(THREE)
    killed = [(2, "killed", TWO)] if made else []
    assert place.told() == [(1, "ada", ONE), *killed, (len(killed) + 2, BY_HAND, THREE)]
