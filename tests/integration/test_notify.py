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
