"""Files of destinations over the API: nobody overwrites anybody, and there is a way back."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from console.access import Account, Role
from flows.settings import Settings
from tests.console.conftest import FILES
from tests.console.test_access import ACCOUNTS, bearer

ClientOf = Callable[..., TestClient]
CRM = "/api/v1/destinations/crm"
TEXT = FILES["crm"] + "sample: 0.5\n"


@pytest.fixture
def client(client_of: ClientOf) -> TestClient:
    return client_of()


def etag(client: TestClient, url: str = CRM) -> dict[str, str]:
    return {"If-Match": client.get(url).headers["etag"]}


def test_a_file_is_replaced_as_it_is_written(client: TestClient, settings: Settings) -> None:
    answer = client.put(CRM, json={"text": TEXT, "note": "half"}, headers=etag(client))
    assert answer.status_code == 200
    assert answer.json() | {"at": 0} == {
        "destination": "crm", "number": 2, "at": 0, "author": "local", "note": "half", "deleted": False,
    }  # fmt: skip
    assert (settings.destinations / "crm.yaml").read_text() == TEXT
    now = client.get(CRM)
    assert (now.json()["text"], now.json()["version"]) == (TEXT, 2)
    assert now.headers["etag"] == answer.headers["etag"]


def test_who_is_slower_overwrites_nothing(client: TestClient, settings: Settings) -> None:
    mine = etag(client)
    theirs = client.put(CRM, json={"text": TEXT}, headers=mine).headers["etag"]
    for method, body in (("PUT", {"text": FILES["crm"]}), ("DELETE", None)):
        refused = client.request(method, CRM, json=body, headers=mine)
        assert (refused.status_code, refused.headers["etag"]) == (412, theirs)
        assert refused.headers["content-type"] == "application/problem+json"
        assert "version 2 now, by local" in refused.json()["detail"]
    assert (settings.destinations / "crm.yaml").read_text() == TEXT


def test_a_change_by_hand_is_not_overwritten_either(client: TestClient, settings: Settings) -> None:
    mine = etag(client)
    (settings.destinations / "crm.yaml").write_text(TEXT)
    assert client.put(CRM, json={"text": FILES["crm"]}, headers=mine).status_code == 412
    # Not even where it was taken back: somebody was there.
    client.get(CRM)
    (settings.destinations / "crm.yaml").write_text(FILES["crm"])
    assert client.put(CRM, json={"text": TEXT}, headers=mine).status_code == 412
    assert (settings.destinations / "crm.yaml").read_text() == FILES["crm"]


def test_an_etag_of_a_lost_history_is_none_of_the_new_one(client: TestClient, settings: Settings) -> None:
    mine = etag(client)
    for path in settings.state.glob("history.sqlite*"):
        path.unlink()
    (settings.destinations / "crm.yaml").write_text(TEXT)
    assert client.put(CRM, json={"text": FILES["crm"]}, headers=mine).status_code == 412


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 428),
        ({"If-None-Match": '"1-x"'}, 428),
        ({"If-None-Match": "*"}, 412),
        ({"If-Match": "nonsense"}, 412),
        ({"If-Match": "*"}, 200),
        ({"If-Match": "*", "If-None-Match": "*"}, 412),
    ],
)
def test_a_file_is_replaced_only_by_who_knows_it(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.put(CRM, json={"text": TEXT}, headers=headers).status_code == status


def test_any_of_several_etags_will_do_and_a_weak_one_does_not(client: TestClient) -> None:
    mine = etag(client)["If-Match"]
    assert client.put(CRM, json={"text": TEXT}, headers={"If-Match": f"W/{mine}"}).status_code == 412
    assert client.put(CRM, json={"text": TEXT}, headers={"If-Match": f'"0-a", {mine}'}).status_code == 200


def test_a_new_file_is_made_once(client: TestClient) -> None:
    url, text = "/api/v1/destinations/new-one", "id: new-one\ninputs: {url: 'https://a.example.com'}\n"
    made = client.put(url, json={"text": text}, headers={"If-None-Match": "*"})
    assert (made.status_code, made.headers["location"]) == (201, url)
    assert client.get(url).headers["etag"] == made.headers["etag"]
    assert client.put(url, json={"text": text}, headers={"If-None-Match": "*"}).status_code == 412
    assert client.put("/api/v1/destinations/x", json={"text": text}, headers={"If-Match": "*"}).status_code == 412


def test_a_file_that_would_not_load_is_refused_with_all_that_is_wrong(client: TestClient, settings: Settings) -> None:
    text = "id: crm\nfilters: {when: 'lenght(event) > 1'}\ninputs: {url: 1, nothing: 2}\n"
    refused = client.put(CRM, json={"text": text}, headers=etag(client))
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert len(refused.json()["problems"]) > 1
    assert any("did you mean 'length'" in one for one in refused.json()["problems"])
    assert (settings.destinations / "crm.yaml").read_text() == FILES["crm"]
    assert client.post(f"{CRM}/check", json={"text": text}).json() == {"problems": refused.json()["problems"]}
    assert client.post(f"{CRM}/check", json={"text": FILES["crm"]}).json() == {"problems": []}


@pytest.mark.parametrize("id", ["project", "Crm", "a.b", "..%2Fx", "a%0A", "x" * 201])
def test_a_file_of_no_id_is_not_made(client: TestClient, settings: Settings, id: str) -> None:
    refused = client.put(f"/api/v1/destinations/{id}", json={"text": TEXT}, headers={"If-None-Match": "*"})
    assert refused.status_code in (404, 422)
    assert {path.stem for path in settings.destinations.iterdir()} == set(FILES)


@pytest.mark.parametrize("text", ["\ud800", "x" * (1 << 20) + "x", "ü" * (1 << 19) + "ü", "\x00", ""])
def test_what_is_no_text_of_a_file_is_refused(client: TestClient, text: str) -> None:
    body = b'{"text": "\\ud800"}' if text == "\ud800" else None
    asked = {"content": body} if body else {"json": {"text": text}}
    assert client.put(CRM, headers=etag(client), **asked).status_code == 422  # type: ignore[arg-type]


def test_a_deleted_file_is_gone_and_can_be_had_again(client: TestClient, settings: Settings) -> None:
    assert client.delete(CRM).status_code == 428
    gone = client.delete(CRM, headers=etag(client))
    assert (gone.status_code, gone.content) == (204, b"")
    assert not (settings.destinations / "crm.yaml").exists()
    assert client.delete(CRM, headers={"If-Match": "*"}).status_code == 404
    assert client.put(CRM, json={"text": TEXT}, headers={"If-Match": "*"}).status_code == 412
    again = client.put(CRM, json={"text": TEXT}, headers={"If-None-Match": "*"})
    assert (again.status_code, again.json()["number"]) == (201, 3)


def test_a_secret_that_stands_in_a_file_is_shown_to_nobody(client: TestClient, settings: Settings) -> None:
    text = "id: crm\ntemplate: slack\ninputs: {channel: c, text: t, colour: 1, token: xoxb-very-secret-indeed}\n"
    refused = client.put(CRM, json={"text": text}, headers=etag(client))
    assert (refused.status_code, "secrets.NAME" in refused.text) == (422, True)
    (settings.destinations / "crm.yaml").write_text(text)
    answers = [refused, client.post(f"{CRM}/check", json={"text": text})]
    answers += [client.get(f"{CRM}{rest}") for rest in ("", "/versions", "/versions/2", "/diff?before=0&after=2")]
    answers += [client.get("/api/v1/destinations"), client.post(f"{CRM}/test", json={"event": {"event": "a"}})]
    assert [one.status_code for one in answers] == [422, 200, 200, 200, 200, 200, 200, 409]
    assert not any("xoxb-very" in one.text for one in answers)
    assert "'***'" in answers[2].json()["text"]


def test_versions_come_in_pages_the_newest_first(client: TestClient) -> None:
    for number in range(4):
        client.put(CRM, json={"text": f"{TEXT}# {number}\n", "note": f"n{number}"}, headers={"If-Match": "*"})
    page = client.get(f"{CRM}/versions", params={"limit": 2}).json()
    assert ([one["number"] for one in page["items"]], page["next"]) == ([5, 4], 4)
    rest = client.get(f"{CRM}/versions", params={"limit": 9, "after": page["next"]}).json()
    assert ([(one["number"], one["author"]) for one in rest["items"]], rest["next"]) == (
        [(3, "local"), (2, "local"), (1, "file")],
        None,
    )
    assert client.get(f"{CRM}/versions/2").json()["text"] == f"{TEXT}# 0\n"
    assert client.get(f"{CRM}/versions/9").status_code == 404
    diff = client.get(f"{CRM}/diff", params={"before": 2, "after": 3}).json()["diff"]
    assert diff.splitlines()[-2:] == ["-# 0", "+# 1"]
    assert client.get(f"{CRM}/diff", params={"before": 2, "after": 9}).status_code == 404
    assert client.get("/api/v1/destinations/nobody/diff", params={"before": 0, "after": 0}).status_code == 404
    assert client.get("/api/v1/destinations/nobody/versions").status_code == 404


def test_a_former_version_becomes_a_new_one(client: TestClient, settings: Settings) -> None:
    first = etag(client)
    client.put(CRM, json={"text": TEXT}, headers=first)
    assert client.post(f"{CRM}/rollback", json={"version": 1}, headers=first).status_code == 412
    back = client.post(f"{CRM}/rollback", json={"version": 1}, headers=etag(client))
    assert (back.status_code, back.json()["number"], back.json()["note"]) == (200, 3, "back to version 1")
    assert back.headers["etag"] == client.get(CRM).headers["etag"]
    assert (settings.destinations / "crm.yaml").read_text() == FILES["crm"]
    assert client.post(f"{CRM}/rollback", json={"version": 7}).status_code == 404


def test_an_editor_deletes_nothing_by_going_back(client_of: ClientOf, settings: Settings) -> None:
    client = client_of(*ACCOUNTS)
    client.delete(CRM, headers=bearer(Role.OPERATOR) | {"If-Match": "*"}).raise_for_status()
    editor = bearer(Role.EDITOR)
    client.put(CRM, json={"text": TEXT}, headers=editor | {"If-None-Match": "*"}).raise_for_status()
    versions = client.get(f"{CRM}/versions", headers=editor).json()["items"]
    (gone,) = (one["number"] for one in versions if one["deleted"])
    assert client.post(f"{CRM}/rollback", json={"version": gone}, headers=editor).status_code == 403
    assert (settings.destinations / "crm.yaml").exists()
    assert client.post(f"{CRM}/rollback", json={"version": gone}, headers=bearer(Role.OPERATOR)).status_code == 200
    assert not (settings.destinations / "crm.yaml").exists()


def test_names_that_look_like_markup_come_back_as_text(client_of: ClientOf) -> None:
    client = client_of(Account("<b>bob</b>", Role.OPERATOR, "t" * 20))
    client.headers["Authorization"] = f"Bearer {'t' * 20}"
    name = "<script>alert(1)</script>"
    text = f"id: crm\nname: '{name}'\ninputs: {{url: 'https://a.example.com'}}\n"
    client.put(CRM, json={"text": text, "note": name}, headers=etag(client)).raise_for_status()
    for url in (CRM, "/api/v1/destinations", f"{CRM}/versions", f"{CRM}/versions/2", f"{CRM}/diff?before=0&after=2"):
        answer = client.get(url)
        assert answer.headers["content-type"] == "application/json"
        assert name in str(answer.json())
    assert client.get(f"{CRM}/versions").json()["items"][0]["author"] == "<b>bob</b>"
    missing = client.get(f"/api/v1/templates/{name.replace('/', '')}")
    assert missing.headers["content-type"] == "application/problem+json"


def test_a_page_lists_all_operations_without_anything_from_elsewhere(client: TestClient) -> None:
    page = client.get("/api/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for path, methods in client.get("/api/v1/openapi.json").json()["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in page.text
    assert "<script" not in page.text
    assert "http" not in page.text.replace("<!doctype html>", "")
