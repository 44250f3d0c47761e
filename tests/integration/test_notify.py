"""A job tells webhooks when a destination falls ill and when somebody disables it."""

from tests.integration.events import capture
from tests.integration.stand import QUICK, Stand, until
from tests.receiver import Answer, Receiver


def test_webhooks_hear_of_a_quarantine_and_of_what_people_do(stand: Stand, receiver: Receiver) -> None:
    own = {"url": f"{receiver.url}/own/{{secrets.ALERTS_KEY}}", "headers": {"X-Team": "growth"}}
    quarantine = {**QUICK["quarantine"], "errors_in_a_row": 3, "periods_s": [600]}
    stand.destination("crm", more={"quarantine": quarantine, "notify": own, "delivery": {"retries": 0}})
    receiver.on("/crm", Answer(500, b"oh no"))
    events = stand.lines("events.jsonl", [capture(number) for number in range(20)])
    job = stand.start("--events", events, "--notify", f"{receiver.url}/all", env={"ALERTS_KEY": "k3y-of-alerts"})

    def told(path: str) -> list[dict[str, str]]:
        return [request.json() for request in receiver.of(path)]

    until("the quarantine", lambda: "quarantined" in [one["after"] for one in told("/all")])
    [ill] = [one for one in told("/all") if one["after"] == "quarantined"]
    assert (ill["destination"], ill["name"], ill["response"]) == ("crm", "Crm", "oh no")
    assert "3 errors in a row" in ill["reason"]
    assert ill["url"] == "http://localhost:8010/project/1/functions/crm/configuration/"
    assert stand.offramp("disable", "crm")[0] == 0
    until("disabled", lambda: "disabled" in [one["after"] for one in told("/all")])
    until("the own one", lambda: told("/own/k3y-of-alerts") == told("/all"))
    assert {request.header("x-team") for request in receiver.of("/own/k3y-of-alerts")} == {"growth"}
    assert job.terminate() == 0
    assert "k3y-of-alerts" not in job.log


def test_what_a_webhook_was_not_told_is_told_after_a_kill(stand: Stand, receiver: Receiver) -> None:
    stand.destination("crm")
    receiver.on("/all", Answer(503), Answer(200))
    events = stand.lines("events.jsonl", [capture(0)])
    command = ["--events", events, "--notify", f"{receiver.url}/all"]
    job = stand.start(*command)
    receiver.wait(1, 30, "/crm")
    assert stand.offramp("pause", "crm")[0] == 0
    job.wait_for_log("the webhook was not told of healthy -> paused: it answered 503; trying again")
    job.kill()
    job = stand.start(*command)
    receiver.wait(2, 30, "/all")
    first, second = receiver.of("/all")
    assert first.json() == second.json()
    assert first.header("webhook-id") == second.header("webhook-id")
    assert job.terminate() == 0
