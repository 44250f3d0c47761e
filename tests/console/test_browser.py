"""The console in a real browser, in front of a real job."""

import base64
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from console.access import hashed
from tests.console.browser import Visit, browsing, picture, start_console
from tests.integration import topics
from tests.integration.events import capture
from tests.integration.stand import Job, Stand
from tests.kafka_broker import KafkaBroker
from tests.receiver import Answer, Receiver

NASTY = "<img src=x onerror=\"document.title='broken'\">"
KEY = {"OFFRAMP_SECRETS_KEY": base64.b64encode(bytes(32)).decode()}
SICK = {
    "quarantine": {"window_s": 60, "min_samples": 5, "errors_in_a_row": 5, "periods_s": [600]},
    "delivery": {"retries": 0},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens windows; at the end no script of a page may have failed, and nothing may have come from elsewhere."""
    visits: list[Visit] = []

    def make(url: str, **more: object) -> Visit:
        visits.append(Visit(browser, url, **more))  # type: ignore[arg-type]
        return visits[-1]

    yield make
    found = [(one.errors, one.outside) for one in visits]
    for one in visits:
        one.close()
    assert found == [([], []) for _ in visits]


def at_work(kafka: KafkaBroker, stand: Stand, events: int = 20) -> Job:
    """A job that has had its events; what they are called is an attack."""
    topic = topics.events(kafka, [capture(number, event=NASTY, n=number) for number in range(events)])
    return stand.start("--events", topics.url(kafka, topic))


@pytest.mark.timeout(180)
def test_an_operator_sees_what_is_ill_and_pauses_and_enables(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver, visit: Callable[..., Visit]
) -> None:
    stand.destination("good", more={"name": "Well"})
    stand.destination("sick", more=SICK | {"name": NASTY})
    receiver.on("/sick", Answer(500, f"{NASTY} out of order".encode()))
    at_work(kafka, stand)
    receiver.wait(20, 60, "/good")
    _, url = start_console(stand)
    page = visit(url).page
    page.goto("/")
    expect(page.get_by_text("Quarantined", exact=True)).to_be_visible()
    banner = page.get_by_role("status").filter(has_text="quarantined since")
    expect(banner).to_contain_text("answered 500")
    expect(banner).to_contain_text(f"{NASTY} out of order")
    picture(page, "overview")
    page.get_by_label("Pause good").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.get_by_label("Enable good").click()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    page.get_by_label("Search by name").fill("sick")
    expect(page.get_by_label("Pause good")).to_have_count(0)
    page.locator("table").get_by_role("link").first.click()
    page.get_by_role("tab", name="Logs").click()
    expect(page.get_by_role("log")).to_contain_text(f"event {NASTY!r}")
    expect(page.get_by_text("Failed for good")).to_be_visible()
    picture(page, "logs")

    receiver.on("/sick", Answer(200))
    page.get_by_role("button", name="Retry all").click()
    expect(page.get_by_text("They are sent again")).to_be_visible()
    page.goto("/")
    page.get_by_label("Enable sick").click()
    expect(page.get_by_text("the job has been told")).to_be_visible()
    expect(page.get_by_text("Quarantined", exact=True)).to_have_count(0)
    page.goto("/destinations/sick")
    expect(page.locator(".number").nth(0)).to_have_text("20")
    expect(page.locator(".number").nth(1)).to_have_text("0")
    page.get_by_role("tab", name="Backlog").click()
    page.get_by_role("button", name="Count them").click()
    expect(page.get_by_text("20 positions of the log")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    receiver.wait(20 + 20 + 5, 60, "/sick")
    picture(page, "backlog")
    assert page.title() == "sick · Offramp", "nothing of an event or an answer is a script"


@pytest.mark.timeout(180)
def test_somebody_who_has_never_seen_yaml_makes_a_destination_and_mends_it(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver, visit: Callable[..., Visit]
) -> None:
    topic = topics.events(kafka, [capture(n, event="signed up" if n else "$pageview", plan="pro") for n in range(4)])
    stand.start("--events", topics.url(kafka, topic), env=KEY)
    _, url = start_console(
        stand, "--events", topics.url(kafka, topic), "--allow", "127.0.0.0/8", env=KEY | {"OFFRAMP_PROJECT": "1"}
    )
    page = visit(url).page
    page.goto("/new")
    page.get_by_label("Search").fill("webhook")
    page.get_by_role("link", name="Webhook", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Sign-ups")
    page.get_by_label("Id *").fill("sign-ups")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_contain_text("would not load")
    page.get_by_label("Names of events").fill("signed")
    page.get_by_role("option", name="signed up").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="How many would that be?").click()
    expect(page.get_by_text("3 of the newest 4 events would have matched.")).to_be_visible()
    page.get_by_label("Address").fill(f"{receiver.url}/made")
    picture(page, "form")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/destinations/sign-ups")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    page.get_by_role("tab", name="Testing").click()
    page.get_by_role("button", name="Find the newest").click()
    expect(page.get_by_label("Event", exact=True)).to_be_visible()
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("Would be delivered")).to_be_visible()
    assert not [one for one in receiver.of("/made") if one.header("offramp-test")]
    page.get_by_role("button", name="Really send it").click()
    expect(page.get_by_text("Delivered", exact=True).nth(1)).to_be_visible()
    expect(page.get_by_text("Answer: 200")).to_be_visible()
    (tried,) = [one for one in receiver.of("/made") if one.header("offramp-test")]
    assert tried.json()["event"]["properties"]["plan"] == "pro"
    picture(page, "testing")

    page.get_by_role("tab", name="Configuration").click()
    file = stand.destinations / "sign-ups.yaml"
    made = file.read_text()
    editor = page.get_by_role("tabpanel").filter(has=page.get_by_role("button", name="Save")).locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nsample: 2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("sample")
    assert file.read_text() == made
    page.keyboard.press("Control+End")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Backspace")
    page.keyboard.type("0.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Saved as version 2")
    assert "sample: 0.5" in file.read_text()
    page.get_by_role("tab", name="History").click()
    page.get_by_role("button", name="Refresh").click()
    page.get_by_label("Go back to version 1").click()
    expect(page.get_by_text("Version 3")).to_be_visible()
    assert file.read_text() == made
    picture(page, "history")


def test_a_secret_is_entered_once_and_seen_never_again(stand: Stand, visit: Callable[..., Visit]) -> None:
    _, url = start_console(stand, env=KEY)
    page = visit(url).page
    page.goto("/new/slack")
    page.get_by_label("Bot token").fill("xoxb-0123-secret")
    page.get_by_label("Channel").fill("C1")
    page.get_by_role("checkbox", name="Every event").click()
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/destinations/slack")
    page.get_by_role("tab", name="Configuration").click()
    expect(page.get_by_text("{secrets.SLACK_TOKEN}")).to_be_visible()
    assert "xoxb" not in page.content()
    assert not [path for path in stand.folder.rglob("*") if path.is_file() and b"xoxb-0123" in path.read_bytes()]


def test_the_catalogue_is_searched_by_keyboard_alone(stand: Stand, visit: Callable[..., Visit]) -> None:
    _, url = start_console(stand)
    for size, dark in (("wide", False), ("narrow", True)):
        page = visit(url, size=size, dark=dark).page
        page.goto("/")
        expect(page.get_by_text("There is no destination yet")).to_be_visible()
        expect(page.get_by_text("No job is running")).to_be_visible()
        picture(page, f"nothing-{size}")
        page.goto("/new")
        expect(page.get_by_label("Search")).to_be_focused()
        page.keyboard.type("pagerdu")
        expect(page.locator(".card")).to_have_count(1)
        picture(page, f"gallery-{size}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is cut off"


def test_with_accounts_somebody_has_to_sign_in(stand: Stand, visit: Callable[..., Visit]) -> None:
    accounts = f"anna:viewer:{hashed('open sesame')}"
    _, url = start_console(stand, env={"OFFRAMP_CONSOLE_ACCOUNTS": accounts})
    stand.destination("crm")
    page = visit(url).page
    page.goto("/destinations/crm")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password or token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Name and password do not go together.")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password or token").fill("open sesame")
    picture(page, "login")
    page.keyboard.press("Enter")
    expect(page.get_by_text("anna (viewer)")).to_be_visible()
    expect(page.locator("table")).to_contain_text("crm")
    expect(page.get_by_label("Pause crm")).to_have_count(0)
    page.get_by_role("link", name="Sign out").click()
    expect(page.get_by_label("Name")).to_be_visible()
    page.goto("/")
    expect(page.get_by_label("Name")).to_be_visible()


def test_on_an_address_of_the_network_it_does_not_start_without_accounts(stand: Stand) -> None:
    job = stand.start_module("cli.main", "console", "--console-address", "0.0.0.0:0")
    assert job.wait() == 2
    assert "OFFRAMP_CONSOLE_ACCOUNTS" in job.log
