"""What happens where the parts of a server for tests cannot be had."""

from pathlib import Path

import pytest

from tests.servers import clickhouse, components
from tests.servers.components import MissingComponentError, jars, java, present, wheels


def missing() -> None:
    raise MissingComponentError("mvn is not on the PATH")


@pytest.mark.parametrize(("ci", "ends"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_what_is_missing_fails_in_ci_and_is_told_elsewhere(
    monkeypatch: pytest.MonkeyPatch, ci: str, ends: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(ends, match="mvn is not on the PATH"):
        present(missing)


def test_without_java_or_maven_it_says_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingComponentError, match=r"^X tests need Java 17 and Maven: java is not on the PATH$"):
        java("X")
    with pytest.raises(MissingComponentError, match=r"^X tests need Java 17 and Maven: mvn is not on the PATH$"):
        jars("X", tmp_path / "x", [])


@pytest.mark.parametrize(
    ("version", "newest", "said"),
    [("11.0.2", None, "need Java 17 and Maven: .* is version 11"), ("24", 23, "need Java 17 to 23: .* is version 24")],
)
def test_a_java_of_another_time_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, newest: int | None, said: str
) -> None:
    (tmp_path / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(MissingComponentError, match=said):
        java("X", newest)


def test_a_package_that_cannot_be_had_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("offramp-has-no-such-package==1\n")
    monkeypatch.setattr(components, "PINS", tmp_path)
    monkeypatch.setattr(components, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(MissingComponentError, match=r"^X tests need packages: ERROR: "):
        wheels("X", "none")
    assert list((tmp_path / "cache").rglob("*")) == [tmp_path / "cache" / "none"]


def test_what_is_there_already_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    there = present(clickhouse.fetch)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert clickhouse.fetch() == there
