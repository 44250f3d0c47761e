"""One case of an import: what PostHog's API answers, what is said of it, and what its author expects for events."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import catalog
from catalog.yaml_file import parse
from destinations import Destination, EventView, Loaded, Secrets, Site, load
from destinations.dry_run import dry_run
from destinations.file_text import comment_of, yaml_text
from destinations.filters import Project
from destinations.loading import load_project
from destinations.posthog import Imported, exported, import_functions, lacking, read_answer
from hog import json_text
from operators.envelope import decode_message
from operators.join_person import Join
from records import Deleted, Event, Group, Message, Person

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.stem for path in CASES.glob("*.json"))


class Table:
    """A person table with at most one person, who may be in groups."""

    def __init__(self, person: dict[str, Any] | None, groups: dict[str, Any]) -> None:
        self._person = person and Person(person["id"], json_text.dumps(person["properties"]))
        self._groups = {int(index): json_text.dumps(properties) for index, properties in groups.items()}

    def lookup(self, project: int, distinct_id: str) -> Person | Deleted | None:
        return self._person

    def person(self, project: int, person_id: str) -> Person | Deleted | None:
        return None

    def group(self, project: int, index: int, key: str) -> Group | None:
        return Group(index, key, self._groups[index]) if index in self._groups else None

    def groups_with_key(self, project: int, key: str) -> Sequence[Group]:
        return ()


def read(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    return case


def takes(keys: str, directory: Path) -> bool:
    """Whether a destination file may have these keys."""
    directory.mkdir()
    (directory / "x.yaml").write_text(f"id: x\ncode: return 1\n{keys}\n", "utf-8")
    return not load(directory, Secrets({}.get), catalog.builtin()).problems


def imported(case: dict[str, Any], directory: Path) -> list[Imported]:
    """Import it into the directory, as the command does."""
    directory.mkdir(exist_ok=True)
    if "project" in case:
        (directory / "project.yaml").write_text(yaml_text(case["project"]), "utf-8")
    answer = read_answer(json.dumps(case["answer"]).encode())
    found = import_functions(answer.items, catalog.builtin())
    for one in found:
        if one.text:
            (directory / f"{one.id}.yaml").write_text(one.text, "utf-8")
    return found


def loaded(case: dict[str, Any], directory: Path) -> Loaded:
    return load(directory, Secrets(case.get("secrets", {}).get), catalog.builtin())


def differences(one: Imported, directory: Path) -> list[str]:
    """As the command tells them."""
    project = load_project(directory).project
    lacks = lacking(one.needs, project if project is not None else Project())
    return [*([f"needs in project.yaml: {', '.join(lacks)}"] if lacks else []), *one.differences]


def views(tried: dict[str, Any]) -> Iterator[tuple[str, EventView]]:
    """The event in both shapes, with its person and groups as they are joined."""
    person, groups, event = tried.get("person"), tried.get("groups", {}), dict(tried["event"])
    chain = event.pop("elements_chain", "")
    captured = {**event, "properties": {**event["properties"], **({"$elements_chain": chain} if chain else {})}}
    row = {
        **event,
        "team_id": 1,
        "timestamp": event["timestamp"].replace("T", " ").removesuffix("Z"),
        "properties": json.dumps(event["properties"]),
        "elements_chain": chain,
        **({"person_id": person["id"], "person_properties": json.dumps(person["properties"])} if person else {}),
        **{f"group{index}_properties": json.dumps(properties) for index, properties in groups.items()},
    }
    yield "capture shape", _joined(captured, Table(person, groups))
    # What is in the row itself is enough: the table knows nobody.
    yield "row", _joined(row, Table(None, {}))


def _joined(event: dict[str, Any], table: Table) -> EventView:
    decoded = decode_message(Message("kafka:events", 0, 0, json.dumps(event).encode(), 0), 1)
    assert isinstance(decoded, Event), decoded
    view = EventView(decoded, Site())
    Join(table).enrich(view)
    return view


def sent(destination: Destination, view: EventView) -> list[dict[str, Any]]:
    """The requests as a case writes them: a body that is JSON as its value, none as null."""
    run = dry_run(destination, view)
    assert run.error == ""
    if not run.matches or not destination.enabled:
        return []
    return [
        {"method": one.method, "url": one.url, "headers": one.headers, "body": one.body.decode()}
        for one in run.requests
    ]


def expected(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As `sent` gives them, to the byte."""
    return [{**one, "body": _body(one["body"])} for one in requests]


def _body(written: Any) -> str:
    if written is None or isinstance(written, str):
        return written or ""
    return json_text.dumps(written).decode()


def export(files: list[Imported]) -> list[dict[str, Any]]:
    """As the command prints them, through JSON."""
    objects = [exported(parse(one.text.encode()).values, comment_of(one.text), catalog.builtin()) for one in files]
    back: list[dict[str, Any]] = json.loads(json_text.dumps(objects))
    return back
