"""A directory of destination files, and what is made of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

import catalog
from destinations import Destination, Loaded, Secrets, load

SECRETS = {"TOKEN": "s3cr3t/value", "USER": "anna"}


@pytest.fixture
def load_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Loaded]:
    """Write files into `destinations/` and load them; names are the files' names without `.yaml`."""
    monkeypatch.chdir(tmp_path)
    directory = Path("destinations")
    directory.mkdir()

    def write_and_load(**texts: str) -> Loaded:
        for stem, text in texts.items():
            (directory / f"{stem}.yaml").write_text(text, encoding="utf-8")
        return load(directory, Secrets(SECRETS.get), catalog.builtin())

    return write_and_load


@pytest.fixture
def load_one(load_files: Callable[..., Loaded]) -> Callable[[str], Destination]:
    """Load one destination that has nothing wrong with it, given all but its id."""

    def one(text: str) -> Destination:
        loaded = load_files(crm=f"id: crm\n{text}")
        assert [str(problem) for problem in loaded.problems] == []
        return loaded.destinations["crm"]

    return one
