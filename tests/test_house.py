"""Rules of the house that no linter knows, for every file of the project, also the ones that are not committed yet."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).relative_to(ROOT)
MAX_LINES = 600
VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}

HOME_OR_WORK = re.compile(r"(?<![\w.}])/(?:home|root|work|workspace|Users)/[\w.-]")
INDEX_HOST = re.compile(
    r"\bpypi\.\w|pythonhosted\.|\bregistry\.\w+\.|\brepo\d?\.maven\.|\brepository\.apache\.|artifactory|"
    r"(?:extra-)?index-url|trusted-host|find-links"
)
EXACT_PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][0-9A-Za-z.]*")


def ignored() -> list[str]:
    """The folders' names and patterns in .gitignore, and git's own folder."""
    lines = (ROOT / ".gitignore").read_text("utf-8").split()
    return [".git", *(line.rstrip("/") for line in lines)]


def project_files() -> Iterator[Path]:
    """Every file that git would take, relative to the project's root; works without git and outside a repository."""
    patterns = ignored()

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if any(fnmatch(path.name, pattern) for pattern in patterns):
                continue
            if path.is_dir():
                yield from walk(path)
            elif not path.is_symlink():
                yield path.relative_to(ROOT)

    return walk(ROOT)


FILES = list(project_files())
PYTHON = [path for path in FILES if path.suffix == ".py"]


def text_of(path: Path) -> str:
    """The file's text; empty for what is none."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in FILES
        # What must stand nowhere else stands here, as patterns and their examples.
        if path != HERE
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]


def test_there_is_something_to_look_at() -> None:
    assert Path("operators/deliver.py") in PYTHON
    assert Path("Makefile") in FILES
    assert not any(".venv" in path.parts for path in FILES)


def test_no_file_of_code_is_too_long_to_read() -> None:
    lengths = {str(path): len(text_of(path).splitlines()) for path in PYTHON}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_every_module_says_by_its_name_what_it_is_for() -> None:
    assert [str(path) for path in PYTHON if VAGUE_NAMES & {path.stem, *path.parent.parts}] == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    assert places(HOME_OR_WORK) == []


def test_no_file_names_a_package_index() -> None:
    assert places(INDEX_HOST) == []


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("cd /home/anna/offramp", HOME_OR_WORK),
        ('"/work/x"', HOME_OR_WORK),
        ("https://pypi.example/simple", INDEX_HOST),
        ("--index-url x", INDEX_HOST),
    ],
)
def test_the_patterns_find_what_they_are_for(line: str, pattern: re.Pattern[str]) -> None:
    assert pattern.search(line)


@pytest.mark.parametrize("path", [path for path in PYTHON if path.name == "__init__.py"], ids=str)
def test_a_package_only_says_what_it_is_and_re_exports(path: Path) -> None:
    imported: set[str] = set()
    exported: list[str] = []
    for node in ast.parse(text_of(path)).body:
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                imported |= {name.asname or name.name for name in names}
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                exported = ast.literal_eval(value)
            case _:
                pytest.fail(f"{path}:{node.lineno}: move this into a module of its own: {ast.unparse(node)[:80]}")
    assert sorted(exported) == sorted(imported), "__all__ names what is imported, each once"


@pytest.mark.parametrize("path", [path for path in FILES if fnmatch(path.name, "requirements*.txt")], ids=str)
def test_requirements_are_exact_and_come_from_wherever_the_user_gets_packages(path: Path) -> None:
    lines = [line for line in text_of(path).splitlines() if line and not line.startswith("#")]
    assert lines
    assert [
        line
        for line in lines
        if not EXACT_PIN.fullmatch(line) and line not in {"-r requirements.txt", "-r requirements-console.txt"}
    ] == []
