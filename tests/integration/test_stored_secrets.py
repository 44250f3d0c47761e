"""A running job takes up secrets that people store while it runs."""

import base64
import subprocess
import sys

from tests.integration.events import capture
from tests.integration.stand import ENOUGH_S, Stand, until
from tests.receiver import Receiver

KEY = base64.b64encode(b"k" * 32).decode()


def command(stand: Stand, *arguments: str, value: str = "") -> None:
    """`offramp secrets` with the key in its environment."""
    line = [sys.executable, "-P", "-m", "cli.main", "secrets", *arguments, "--state", str(stand.state)]
    job_like = {"OFFRAMP_SECRETS_KEY": KEY}
    done = subprocess.run(
        line, cwd=stand.folder, env=stand.environ(job_like), input=value, capture_output=True, text=True,
        check=False, timeout=ENOUGH_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_secret_that_is_set_and_changed_while_the_job_runs(stand: Stand, receiver: Receiver) -> None:
    stand.destination("plain")
    stand.destination("crm", headers={"Authorization": "Bearer {secrets.CRM_TOKEN}"})
    events = stand.lines("events.jsonl", [capture(0)])
    job = stand.start("--events", events, env={"OFFRAMP_SECRETS_KEY": KEY})
    job.wait_for_log("secret 'CRM_TOKEN' is not set")
    receiver.wait(1, 30, "/plain")
    for number, value in enumerate(("s3cret-one", "s3cret-two"), 1):
        command(stand, "set", "CRM_TOKEN", value=value)
        job.wait_for_log(f"{'added' if number == 1 else 'changed'}: crm")
        stand.lines("events.jsonl", [capture(number)])
        until(
            f"a request with secret {number}",
            lambda value=value: any(one.header("authorization") == f"Bearer {value}" for one in receiver.of("/crm")),
        )
    command(stand, "delete", "CRM_TOKEN")
    until("its status says so", lambda: stand.status()["crm"]["problem"])
    assert job.terminate() == 0
    assert "s3cret" not in job.log + job.out + str(stand.logs("crm"))


def test_a_job_without_the_key_says_once_why_secrets_are_missing(stand: Stand) -> None:
    stand.destination("plain")
    stand.destination("crm", headers={"Authorization": "Bearer {secrets.CRM_TOKEN}"})
    stand.destination("ads", headers={"Authorization": "Bearer {secrets.ADS_TOKEN}"})
    for name in ("CRM_TOKEN", "ADS_TOKEN"):
        command(stand, "set", name, value="s3cret")
    code, _, log = stand.run("--events", stand.lines("events.jsonl", [capture(0)]), "--until-end")
    assert code == 0
    reason = f"OFFRAMP_SECRETS_KEY is not set, and {stand.state}/secrets.sqlite holds secrets: set it"
    assert log.count(f"stored secrets are missing: {reason}\n") == 1
    for name in ("CRM_TOKEN", "ADS_TOKEN"):
        assert f"secret '{name}' is stored, but cannot be opened: {reason}" in log
