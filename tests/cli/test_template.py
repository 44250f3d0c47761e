"""`offramp template`: the catalogue as a person sees it, and how somebody makes a template of their own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import catalog
from destinations import Secrets
from destinations.connections import NAME, ConnectionSpec
from destinations.file_text import file_text
from destinations.filters import Project
from destinations.loading import compile_bytes
from destinations.starter import first_inputs, starter
from tests.cli.conftest import Done

Offramp = Callable[..., Done]
_SPEC = ConnectionSpec("refresh_token", "https://x.example", "me", "s", "r")


class Everything(dict[str, ConnectionSpec]):
    """A connection of every name that one can have."""

    def __contains__(self, name: object) -> bool:
        return NAME.fullmatch(str(name)) is not None

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, _: str) -> ConnectionSpec:
        return _SPEC


ANY = Everything()


def test_the_catalogue_is_listed_and_searched(offramp: Offramp) -> None:
    everything = offramp("template", "list")
    assert "webhook" in everything.out
    assert "slack" in everything.out
    found = [json.loads(line) for line in offramp("template", "list", "CHAT", "message", "--json").out.splitlines()]
    assert "slack" in [one["slug"] for one in found]
    assert {one["category"] for one in found} == {"Chat"}


def test_a_template_is_shown_with_its_readme(offramp: Offramp) -> None:
    shown = offramp("template", "show", "slack")
    assert "Bot User OAuth Token" in shown.out
    assert "required, secret" in shown.out
    missing = offramp("template", "show", "slak")
    assert (missing.code, "there is no template 'slak'; did you mean 'slack'?" in missing.err) == (1, True)


def test_a_new_template_may_be_called_like_a_number(offramp: Offramp) -> None:
    assert offramp("template", "new", "2", "--in", "mine").code == 0
    assert offramp("template", "test", "2", "--catalog", "mine").out == "2 cases, 0 problems\n"


@pytest.mark.parametrize(
    ("file", "added", "problem"),
    [
        ("template.yaml", "delivery: {retries: many}", "the template's `delivery`: Expected `int | null`"),
        ("template.yaml", "mappings: [{nam: x}]", "mappings"),
        ("cases.yaml", "  - {name: x, requests: [], event: {properties: [1]}}", "the `properties` of its event"),
        ("code.hog", "let", "either a `request`, or a request.hog or a code.hog"),
    ],
)
def test_a_broken_template_is_a_problem_and_no_traceback(
    offramp: Offramp, here: Path, file: str, added: str, problem: str
) -> None:
    offramp("template", "new", "crm", "--in", "mine")
    with (here / "mine/crm" / file).open("a") as opened:
        opened.write(added)
    # What one case has wrong is found when it is run.
    for command in ("test",) if file == "cases.yaml" else ("test", "lint"):
        done = offramp("template", command, "crm", "--catalog", "mine")
        assert (done.code, problem in done.err) == (1, True), done.err


def test_a_place_where_nothing_can_be_is_said(offramp: Offramp, here: Path) -> None:
    (here / "file").write_text("")
    for arguments in (("new", "crm", "--in", "file"), ("use", "slack", "--event", "a", "--destinations", "file")):
        done = offramp("template", *arguments)
        assert (done.code, "cannot be written" in done.err) == (1, True), done.err
    done = offramp("template", "test", "--all", "--catalog", "nowhere")
    assert (done.code, done.err) == (1, "nowhere: there is no such folder of templates\n")


def test_what_wants_a_connection_begins_with_one() -> None:
    inputs, secrets = first_inputs(catalog.builtin()["google-sheets"], "rows")
    assert inputs["access_token"] == "{connections.google.access_token}"
    assert secrets == []


def test_a_new_template_passes_and_says_what_a_change_broke(offramp: Offramp, here: Path) -> None:
    assert offramp("template", "new", "my-crm", "--in", "mine").code == 0
    assert offramp("template", "new", "my-crm", "--in", "mine").code == 1
    assert offramp("template", "new", "My CRM", "--in", "mine").code == 2
    assert offramp("template", "lint", "--all", "--catalog", "mine").out == "1 template, 0 problems\n"
    assert offramp("template", "test", "--all", "--catalog", "mine").out == "2 cases, 0 problems\n"
    file = here / "mine/my-crm/template.yaml"
    file.write_text(file.read_text().replace("{event.event}", "{upper(event.event)}"))
    broken = offramp("template", "test", "my-crm", "--catalog", "mine")
    assert (broken.code, broken.out) == (1, "2 cases, 2 problems\n")
    assert '{"name": "SIGNED UP"}, not {"name": "signed up"}' in broken.err
    file.write_text("name: [")
    assert (here / "mine/my-crm/template.yaml").name in offramp("template", "list", "--catalog", "mine").err


def test_nothing_chosen_is_no_success(offramp: Offramp) -> None:
    assert offramp("template", "test").code == 2
    assert offramp("template", "lint").code == 2


def test_a_destination_made_of_a_template_loads_once_its_secrets_are_set(
    offramp: Offramp, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsaid = offramp("template", "use", "slack", "--id", "team-news")
    assert (unsaid.code, "--event NAME" in unsaid.err) == (2, True)
    made = offramp("template", "use", "slack", "--id", "team-news", "--event", "signed up", "--event", "paid")
    assert (made.code, "secrets to set: TEAM_NEWS_TOKEN" in made.out) == (0, True)
    assert offramp("template", "use", "slack", "--id", "team-news", "--every-event").code == 1
    assert offramp("template", "use", "slack", "--id", "Team News").code == 2
    assert "TEAM_NEWS_TOKEN" in offramp("check").out
    monkeypatch.setenv("TEAM_NEWS_TOKEN", "xoxb-1")
    assert offramp("check").code == 0
    assert "events:\n    - {id: signed up}\n    - {id: paid}\n" in (here / "destinations/team-news.yaml").read_text()
    assert offramp("template", "use", "webhook").code == 0


def test_a_destination_of_every_template_says_nothing_but_what_has_to_be_filled_in() -> None:
    for slug, template in catalog.builtin().items():
        inputs, secrets = first_inputs(template, slug)
        text = file_text(starter(template, slug, inputs))
        known = dict.fromkeys(secrets, "x")
        problems = compile_bytes(
            Path(f"{slug}.yaml"), text.encode(), Secrets(known.get), catalog.builtin(), Project(connections=ANY)
        ).problems
        assert [str(problem) for problem in problems] == []
