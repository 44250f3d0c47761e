import pytest

from flows.settings_table import CONSOLE, TABLE


def test_the_help_lists_the_commands(process):
    started = process("--help")
    out, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (0, "")
    for command in ("run", "check", "status", "logs", "metrics", "failed", "pause", "enable", "disable", "replay"):
        assert f"\n  {command} " in out
    assert "\x1b" not in out


def test_the_help_of_run_explains_every_flag_with_its_default(offramp):
    done = offramp("run", "--help")
    words = " ".join(done.out.split())
    for row in TABLE:
        # Those of the console are flags of the console alone.
        is_there = row.has_flag and row.section != CONSOLE
        assert (row.flag + " " in words) == is_there
        if is_there and row.default and not row.kind.switch:
            assert f"Default: {row.default}." in words


def test_the_version(offramp):
    done = offramp("--version")
    assert done.code == 0
    assert done.out.startswith("offramp ")


MISTAKES = [
    (["rnu"], "offramp: No such command 'rnu'. Did you mean 'run'? ('offramp --help' shows how)\n"),
    (
        ["run", "--evnts", "x"],
        "offramp run: No such option: --evnts (Possible options: --events) ('offramp run --help' shows how)\n",
    ),
    (["logs"], "offramp logs: Missing argument 'ID'. ('offramp logs --help' shows how)\n"),
    (
        ["run", "--until-end"],
        "offramp: no events to read: give --events, OFFRAMP_EVENTS or 'events' in offramp.yaml; for example "
        "--events kafka://localhost:9092/clickhouse_events_json, --events events.jsonl or --events -\n",
    ),
    (["run", "--events", "-", "--workers", "0"], "offramp: --workers: must be 1 or more, got 0\n"),
]


@pytest.mark.parametrize(("args", "message"), MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(offramp, args, message):
    assert offramp(*args) == (2, "", message)


def test_a_mistake_has_no_traceback_in_a_process_either(process):
    started = process("run", "--events", "gone.jsonl")
    out, err = started.communicate(timeout=60)
    assert (started.returncode, out) == (2, "")
    assert err.startswith("offramp: --events: ")
    assert err.endswith("gone.jsonl: no such file\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [
        ["status"],
        ["status", "--json"],
        ["logs", "crm"],
        ["metrics", "crm"],
        ["dead-letters"],
        ["failed", "crm"],
        ["pause", "crm"],
        ["disable", "crm"],
        ["enable", "crm"],
        ["replay", "crm", "--failed"],
    ],
)
def test_no_job_has_run(offramp, args):
    assert offramp(*args) == (
        1,
        "",
        "no job has run with .offramp: there is no journal; --state names another directory\n",
    )
