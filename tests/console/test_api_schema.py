"""The API does what its description says, whatever it is asked: requests made up from the description itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connectors.journal import Journal
from console.access import Access
from console.api import create_api
from console.workspace import Workspace
from flows.settings import Settings, load
from tests.console.conftest import FILES, RECORDS

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PATHS = {"id": "crm", "number": 1, "slug": "slack"}
BODIES = {"template": "webhook", "version": 1, "text": FILES["crm"]}
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """Of an API before a workspace that may be destroyed. It reaches no address: nothing listens where it may."""
    folder = tmp_path_factory.mktemp("schema")
    (folder / "destinations").mkdir()
    for name in ("crm", "hook"):
        text = FILES[name].replace(f"https://{name}.example.com", "http://127.0.0.1:9")
        (folder / "destinations" / f"{name}.yaml").write_text(text)
    (folder / "events.jsonl").write_text('{"event": "signed up", "distinct_id": "ada", "uuid": "u-1"}\n')
    opened = Workspace(_settings(folder))
    with Journal(opened.settings.journal) as journal:
        assert journal.write(RECORDS) == ""
    app = create_api(opened, Access(), frozenset({"*"}))
    yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, config=SchemathesisConfig())
    opened.close()


def _settings(folder: Path) -> Settings:
    only = ["state", "destinations", "project", "site_url", "log", "secrets_key", "events", "allow"]
    made = load({"events": ["events.jsonl"]}, {"OFFRAMP_SECRETS_KEY": KEY}, folder, only=only)
    made.state.mkdir()
    return made


def test_every_answer_is_one_that_is_described(schema: BaseSchema) -> None:
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:
        as_described = operation.as_strategy()
        otherwise = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

        @given(case=as_described | as_described | otherwise, known=booleans())
        @settings(
            max_examples=15,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        def holds(case: schemathesis.Case, known: bool) -> None:
            if known:
                _name_what_there_is(case)
            case.call_and_validate(checks=CHECKS)

        holds()


def _name_what_there_is(case: schemathesis.Case) -> None:
    """Names that are made up hit nothing."""
    case.path_parameters.update({name: value for name, value in PATHS.items() if name in case.path_parameters})
    if isinstance(case.body, dict):
        case.body.update({name: value for name, value in BODIES.items() if name in case.body})
    if case.method == "PUT":
        case.headers["If-Match"] = "*"
