"""What servers for tests are made of: jars by Maven, wheels by pip, each kept in `.cache` under its exact version."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest

CACHE = Path(__file__).parent.parent.parent / ".cache"
PINS = Path(__file__).parent / "pins"
_OLDEST_JAVA = 17
_Made = TypeVar("_Made")


class MissingComponentError(Exception):
    """Something that a test needs is not on this machine and cannot be fetched; the text says what."""


def present(make: Callable[[], _Made]) -> _Made:
    """What is made of components. Skips the test where they cannot be had; fails there when `CI=true`."""
    try:
        return make()
    except MissingComponentError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


def java(whose: str, newest: int | None = None) -> str:
    """The path of a Java that is new enough, and none newer than this."""
    found = shutil.which("java")
    if found is None:
        raise MissingComponentError(f"{whose} tests need Java {_OLDEST_JAVA} and Maven: java is not on the PATH")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = said.partition('version "')[2].partition(".")[0].partition('"')[0]
    if not version.isdigit() or int(version) < _OLDEST_JAVA:
        raise MissingComponentError(
            f"{whose} tests need Java {_OLDEST_JAVA} and Maven: {found} is version {version or 'unknown'}"
        )
    if newest is not None and int(version) > newest:
        raise MissingComponentError(f"{whose} tests need Java {_OLDEST_JAVA} to {newest}: {found} is version {version}")
    return found


def jars(whose: str, folder: Path, artifacts: Iterable[str], arrange: Callable[[Path], None] = lambda _: None) -> Path:
    """The folder, with these artifacts (`group:name:version`, or with `:zip`) and what they need at run time in it.

    `arrange` puts them where the server looks for them, before the folder gets its name.
    """
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingComponentError(f"{whose} tests need Java {_OLDEST_JAVA} and Maven: mvn is not on the PATH")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Into a folder with another name first: half of the jars must not look like all of them.
    partial = folder.with_name(f"partial-{os.getpid()}")
    pom = folder.with_name(f"pom-{os.getpid()}.xml")
    pom.write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>offramp.tests</groupId><artifactId>jars</artifactId>"
        f"<version>1</version><packaging>pom</packaging><dependencies>{''.join(map(_dependency, artifacts))}"
        "</dependencies></project>"
    )
    to = f"-DoutputDirectory={partial}"
    command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime", to]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
    pom.unlink()
    if done.returncode:
        shutil.rmtree(partial, ignore_errors=True)
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise MissingComponentError(
            f"{whose} tests need Java {_OLDEST_JAVA} and Maven: {lines[0] if lines else 'mvn failed'}"
        )
    arrange(partial)
    return settled(partial, folder)


def wheels(whose: str, name: str) -> Path:
    """A folder with the wheels that `pins/NAME.txt` names, nothing else, for this Python."""
    pins = PINS / f"{name}.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = CACHE / name / f"{version}-{sha256(pins.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f"partial-{os.getpid()}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--target", str(partial), "-r", str(pins)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(partial, ignore_errors=True)
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line]
        raise MissingComponentError(f"{whose} tests need packages: {lines[0] if lines else 'pip failed'}")
    return settled(partial, folder)


def settled(partial: Path, folder: Path) -> Path:
    """The folder, which is now the one that was made under another name."""
    try:
        partial.rename(folder)
    except OSError:
        shutil.rmtree(partial)  # Another run was faster.
    return folder


def _dependency(artifact: str) -> str:
    parts = zip(("groupId", "artifactId", "version", "type"), artifact.split(":"), strict=False)
    return f"<dependency>{''.join(f'<{key}>{value}</{key}>' for key, value in parts)}</dependency>"
