import base64
import contextlib
import logging
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.secret_store import SecretStore
from flows import settings_doc
from flows.inputs import InputError, parse_events, parse_persons
from flows.settings import FileInput, KafkaInput, SecretLookup, Settings, SettingsError, StdinInput, load
from flows.settings_table import TABLE


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "destinations").mkdir()
    for name in ("events.jsonl", "more.jsonl", "persons.jsonl", "ids.jsonl"):
        (tmp_path / name).touch()
    return tmp_path.resolve()


def run_with(here: Path, flags=None, environ=None, file: str | None = None) -> Settings:
    if file is not None:
        (here / "offramp.yaml").write_text(file)
    return load({"events": ["events.jsonl"], **(flags or {})}, environ or {}, here)


def test_defaults(here):
    settings = run_with(here)
    assert settings.events == (FileInput(here / "events.jsonl"),)
    assert (settings.persons, settings.groups, settings.allow) == (None, None, ())
    assert settings.destinations == here / "destinations"
    assert settings.state == here / ".offramp"
    assert settings.journal == here / ".offramp" / "journal.sqlite"
    assert (settings.workers, settings.project, settings.until_end, settings.start) == (1, 1, False, "earliest")
    assert (settings.shutdown_grace_s, settings.snapshot_interval_s, settings.journal_days) == (25.0, 1.0, 7)
    assert settings.site_url == "http://localhost:8010"


def test_flags_win_over_variables_win_over_the_file(here):
    file = "workers: 2\nproject: 2\njournal_days: 2\n"
    settings = run_with(here, {"workers": "4"}, {"OFFRAMP_WORKERS": "3", "OFFRAMP_PROJECT": "3"}, file)
    assert (settings.workers, settings.project, settings.journal_days) == (4, 3, 2)


def test_a_flag_can_switch_off_what_the_file_switched_on(here):
    assert run_with(here, {}, {}, "until_end: true").until_end
    assert not run_with(here, {"until_end": False}, {}, "until_end: true").until_end


def test_an_empty_variable_and_an_empty_key_are_not_set(here):
    assert run_with(here, {}, {"OFFRAMP_WORKERS": ""}, "workers: 2\nallow:\n").workers == 2


def test_the_file_says_all_that_flags_say(here):
    file = """
events: [events.jsonl, "kafka://one:9092,two:9092/events", "-"]
persons: persons.jsonl,ids.jsonl
groups: kafka://one:9092/groups
allow: [10.0.0.0/8, "::1"]
group_types: {company: 0, project: 1}
until_end: yes
shutdown_grace_s: 1.5
site_url: https://offramp.example.com/
kafka:
  security.protocol: SASL_SSL
  enable.ssl.certificate.verification: false
  socket.timeout.ms: 5000
"""
    (here / "offramp.yaml").write_text(file.replace("until_end: yes", "until_end: true"))
    settings = load({}, {}, here)
    assert settings.events == (
        FileInput(here / "events.jsonl"),
        KafkaInput("one:9092,two:9092", "events"),
        StdinInput(),
    )
    assert settings.persons == (FileInput(here / "persons.jsonl"), FileInput(here / "ids.jsonl"))
    assert settings.groups == KafkaInput("one:9092", "groups")
    assert settings.allow == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert settings.group_types == {"company": 0, "project": 1}
    assert (settings.until_end, settings.shutdown_grace_s) == (True, 1.5)
    assert settings.site_url == "https://offramp.example.com"
    assert settings.kafka == {
        "security.protocol": "SASL_SSL",
        "enable.ssl.certificate.verification": "false",
        "socket.timeout.ms": "5000",
    }


def test_lists_in_variables(here):
    environ = {
        "OFFRAMP_EVENTS": "events.jsonl; more.jsonl",
        "OFFRAMP_ALLOW": "10.0.0.0/8, 127.0.0.1;192.168.0.0/16 172.16.0.0/12\n",
        "OFFRAMP_GROUP_TYPES": "company=0;project=1",
        "OFFRAMP_PERSONS": "kafka://h:1/persons,distinct_ids",
    }
    settings = load({}, environ, here)
    assert [one.stream for one in settings.events] == [f"file:{here}/events.jsonl", f"file:{here}/more.jsonl"]
    assert [str(one) for one in settings.allow] == ["10.0.0.0/8", "127.0.0.1/32", "192.168.0.0/16", "172.16.0.0/12"]
    assert settings.group_types == {"company": 0, "project": 1}
    assert settings.persons == (KafkaInput("h:1", "persons"), KafkaInput("h:1", "distinct_ids"))


def test_kafka_variables_join_the_file_and_win_key_by_key(here):
    environ = {"OFFRAMP_KAFKA_SASL_USERNAME": "u", "OFFRAMP_KAFKA_SASL_PASSWORD": "p"}
    settings = run_with(here, {}, environ, "kafka: {sasl.username: file, sasl.mechanisms: PLAIN}")
    assert settings.kafka == {"sasl.username": "u", "sasl.mechanisms": "PLAIN", "sasl.password": "p"}


def test_variables_that_kubernetes_makes_for_services_are_passed_over(here):
    environ = {
        "OFFRAMP_SERVICE_HOST": "10.1.2.3",
        "OFFRAMP_SERVICE_PORT_HTTP": "80",
        "OFFRAMP_PORT": "tcp://10.1.2.3:80",
        "OFFRAMP_PORT_80_TCP_ADDR": "10.1.2.3",
        "OFFRAMP_KAFKA_SERVICE_HOST": "10.1.2.4",
        "OFFRAMP_CONSOLE_PORT_8010_TCP": "tcp://10.1.2.3:8010",
    }
    assert run_with(here, {}, environ).kafka == {}


def test_paths_in_the_file_are_relative_to_it(here):
    (here / "etc" / "destinations").mkdir(parents=True)
    (here / "etc" / "offramp.yaml").write_text("destinations: destinations\nstate: state\n")
    settings = run_with(here, {"config": "etc/offramp.yaml"})
    assert settings.destinations == here / "etc" / "destinations"
    assert settings.state == here / "etc" / "state"


def test_a_link_names_the_file_behind_it(here):
    (here / "current.jsonl").symlink_to("more.jsonl")
    assert load({"events": ["current.jsonl"]}, {}, here).events == (FileInput(here / "more.jsonl"),)


def test_only_reads_what_a_command_needs(here):
    settings = load({"state": "there"}, {"OFFRAMP_EVENTS": "gone.jsonl", "OFFRAMP_WORKERS": "x"}, here, only=["state"])
    assert settings.state == here / "there"


FLAGS = [
    (
        {"events": None},
        "no events to read: give --events, OFFRAMP_EVENTS or 'events' in offramp.yaml; for example "
        "--events kafka://localhost:9092/clickhouse_events_json, --events events.jsonl or --events -",
    ),
    ({"events": ["gone.jsonl"]}, "--events: HERE/gone.jsonl: no such file"),
    ({"events": ["destinations"]}, "--events: HERE/destinations: is a directory; name one file of JSON lines"),
    ({"events": ["kafka://h:9092"]}, "--events: no topic in 'kafka://h:9092'; expected kafka://HOST:PORT/TOPIC"),
    ({"events": ["kafka://h:9092/"]}, "--events: no topic in 'kafka://h:9092/'; expected kafka://HOST:PORT/TOPIC"),
    ({"events": ["kafka:///t"]}, "--events: no host in 'kafka:///t'; expected kafka://HOST:PORT/TOPIC"),
    ({"events": ["kafka:h:9092/t"]}, "--events: expected kafka://HOST:PORT/TOPIC, got 'kafka:h:9092/t'"),
    ({"events": ["kafka://h:99999/t"]}, "--events: 'h:99999' is not a HOST:PORT; expected kafka://HOST:PORT/TOPIC"),
    ({"events": ["kafka://a:1,,b:2/t"]}, "--events: '' is not a HOST:PORT; expected kafka://HOST:PORT/TOPIC"),
    (
        {"events": ["kafka://h:1/a b"]},
        "--events: 'a b' is not the name of a topic: only letters, digits, '.', '_' and '-' can be in it",
    ),
    (
        {"events": ["kafka://me:hunter2@h:9092/t"]},
        "--events: credentials do not belong into the address; write kafka://HOST:PORT/TOPIC and set "
        "OFFRAMP_KAFKA_SASL_USERNAME and OFFRAMP_KAFKA_SASL_PASSWORD",
    ),
    (
        {"events": ["s3://bucket/t"]},
        "--events: nothing reads s3://; write kafka://HOST:PORT/TOPIC, the path of a file, or -",
    ),
    ({"events": ["a\0b"]}, "--events: 'a\\x00b' is not the path of a file"),
    ({"events": ["x" * 300]}, f"--events: HERE/{'x' * 300}: File name too long"),
    ({"state": "a\0b"}, "--state: 'a\\x00b' is not a path"),
    ({"events": ["-", "-"]}, "--events: the same input twice: -"),
    ({"events": ["events.jsonl", "./events.jsonl"]}, "--events: the same input twice: file:HERE/events.jsonl"),
    (
        {"events": ["kafka://a:1/t", "kafka://b:1/t"]},
        "--events: kafka:t on two clusters; positions are kept by topic, so run one job for each cluster",
    ),
    (
        {"persons": "kafka://h:1/persons"},
        "--persons: expected two parts, kafka://HOST:PORT/PERSONS,DISTINCT_IDS, got 1: 'persons'",
    ),
    (
        {"persons": "persons.jsonl"},
        "--persons: expected two parts, PERSONS.jsonl,DISTINCT_IDS.jsonl, got 1: 'persons.jsonl'",
    ),
    ({"persons": "persons.jsonl,gone.jsonl"}, "--persons: HERE/gone.jsonl: no such file"),
    (
        {"persons": "kafka://h:1/p,p"},
        "--persons: persons and distinct ids are both 'p'; expected kafka://HOST:PORT/PERSONS,DISTINCT_IDS",
    ),
    (
        {"events": ["events.jsonl", "persons.jsonl"], "persons": "persons.jsonl,ids.jsonl"},
        "file:HERE/persons.jsonl is given as events and as persons; it can be only one of them",
    ),
    (
        {"groups": "-"},
        "--groups: groups cannot come from standard input; write kafka://HOST:PORT/TOPIC or the path of a file",
    ),
    ({"workers": "0"}, "--workers: must be 1 or more, got 0"),
    ({"workers": "two"}, "--workers: expected a whole number, got 'two'"),
    ({"workers": "1.5"}, "--workers: expected a whole number, got '1.5'"),
    ({"shutdown_grace_s": "-1"}, "--shutdown-grace-s: must be 0 or more seconds, got -1"),
    ({"snapshot_interval_s": "nan"}, "--snapshot-interval-s: expected a number of seconds, got 'nan'"),
    ({"start": "now"}, "--start: expected earliest or latest, got 'now'"),
    ({"allow": ["10.0.0.1/8"]}, "--allow: '10.0.0.1/8' is an address within a network; write 10.0.0.0/8"),
    ({"allow": ["localhost"]}, "--allow: 'localhost' is not a network; write it like 10.0.0.0/8 or 127.0.0.1"),
    ({"group_types": ["company"]}, "--group-types: expected NAME=INDEX with an index from 0 to 4, got 'company='"),
    ({"group_types": ["a=5"]}, "--group-types: expected NAME=INDEX with an index from 0 to 4, got 'a=5'"),
    ({"group_types": ["a=0", "b=0"]}, "--group-types: two group types have the index 0; each has its own"),
    ({"site_url": "example.com"}, "--site-url: expected a URL such as https://offramp.example.com, got 'example.com'"),
    ({"destinations": "gone"}, "--destinations: HERE/gone: no such directory; make it, or name another one"),
    ({"destinations": "events.jsonl"}, "--destinations: HERE/events.jsonl: is not a directory"),
    ({"state": "events.jsonl"}, "--state: HERE/events.jsonl: is not a directory"),
    ({"secrets_dir": "gone"}, "--secrets-dir: HERE/gone: no such directory; make it, or name another one"),
    ({"config": "gone.yaml"}, "gone.yaml: no such file"),
]


@pytest.mark.parametrize(("flags", "message"), FLAGS)
def test_mistakes_in_flags(here, flags, message):
    with pytest.raises(SettingsError) as raised:
        run_with(here, flags)
    assert str(raised.value) == message.replace("HERE", str(here))


VARIABLES = [
    ({"OFFRAMP_WORKER": "1"}, "OFFRAMP_WORKER: unknown variable; did you mean OFFRAMP_WORKERS?"),
    ({"OFFRAMP_XYZZY_Q": "1"}, "OFFRAMP_XYZZY_Q: unknown variable; docs/settings.md lists all"),
    ({"OFFRAMP_WORKERS": "x"}, "OFFRAMP_WORKERS: expected a whole number, got 'x'"),
    ({"OFFRAMP_UNTIL_END": "maybe"}, "OFFRAMP_UNTIL_END: expected true or false, got 'maybe'"),
    (
        {"OFFRAMP_KAFKA": "x"},
        "OFFRAMP_KAFKA: one variable for each setting of the Kafka client, such as OFFRAMP_KAFKA_SASL_USERNAME",
    ),
    (
        {"OFFRAMP_KAFKA_BOOTSTRAP_SERVERS": "h:1"},
        "OFFRAMP_KAFKA_BOOTSTRAP_SERVERS: bootstrap.servers is not set here; the servers stand in the address of each "
        "input, kafka://HOST:PORT/TOPIC",
    ),
]


@pytest.mark.parametrize(("environ", "message"), VARIABLES)
def test_mistakes_in_variables(here, environ, message):
    with pytest.raises(SettingsError) as raised:
        run_with(here, {}, environ)
    assert str(raised.value) == message


FILES = [
    ("worker: 1", "offramp.yaml: worker (1,1): unknown key; did you mean workers?"),
    ("config: x", "offramp.yaml: config (1,1): unknown key; docs/settings.md lists all"),
    ("\nworkers: 0", "offramp.yaml: workers (2,1): must be 1 or more, got 0"),
    ("workers: true", "offramp.yaml: workers (1,1): expected a whole number, got True"),
    ("state: {a: b}", "offramp.yaml: state (1,1): expected text, got a mapping"),
    ("allow: [1]", "offramp.yaml: allow (1,1): expected text, got a number"),
    ("events: 2024-01-01", "offramp.yaml: events (1,1): expected text, got date"),
    ("- a", "offramp.yaml: expected settings, one 'name: value' per line"),
    ("workers: 1\nworkers: 2", 'offramp.yaml: (2,1) found duplicate key "workers"'),
    ("workers: [1", "offramp.yaml: (1,12) expected ',' or ']', but got '<stream end>'"),
    (
        "kafka: {sasl: {username: u, password: hunter2}}",
        "offramp.yaml: kafka (1,1): sasl must be one text or number; write dotted names, such as sasl.username: NAME",
    ),
    ("kafka: x", "offramp.yaml: kafka (1,1): expected librdkafka settings, one 'name: value' per line"),
]


@pytest.mark.parametrize(("file", "message"), FILES)
def test_mistakes_in_the_file(here, file, message):
    (here / "offramp.yaml").write_text(file)
    with pytest.raises(SettingsError) as raised:
        load({} if "events" in file else {"events": ["events.jsonl"]}, {}, here)
    assert str(raised.value) == message


def test_a_file_that_is_not_utf8(here):
    (here / "offramp.yaml").write_bytes(b"state: \xff")
    with pytest.raises(SettingsError, match=r"^offramp\.yaml: not UTF-8 text \(byte 7\)$"):
        load({}, {}, here)


def test_the_repr_hides_credentials(here):
    environ = {
        "OFFRAMP_KAFKA_SASL_PASSWORD": "hunter2",
        "OFFRAMP_KAFKA_SSL_KEY_PEM": "hunter2",
        "OFFRAMP_KAFKA_SASL_USERNAME": "hunter2",
        "OFFRAMP_KAFKA_CLIENT_ID": "shown",
        "CRM_TOKEN": "hunter2",
    }
    settings = run_with(here, {}, environ)
    assert settings.kafka["sasl.password"] == "hunter2"
    for text in (repr(settings), str(settings), repr(list(settings.__rich_repr__()))):
        assert "hunter2" not in text
        assert "shown" in text


def test_a_secret_is_a_file_else_a_variable(tmp_path):
    (tmp_path / "TOKEN").write_text("from the file\n")
    (tmp_path / "EMPTY").write_text("\n")
    environ = {"TOKEN": "from the variable", "OTHER": "other", "EMPTY": "", "OFFRAMP_KAFKA_SASL_PASSWORD": "p"}
    secret = SecretLookup(tmp_path, environ)
    assert secret("TOKEN") == "from the file"
    assert secret("OTHER") == "other"
    assert secret("MISSING") is None
    assert secret("EMPTY") is None
    assert secret("OFFRAMP_KAFKA_SASL_PASSWORD") is None


def test_a_secret_cannot_leave_its_directory(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "outside").write_text("x")
    secret = SecretLookup(tmp_path / "secrets")
    for name in ("../outside", "..", ".", "", str(tmp_path / "outside"), "a/b", "a\0b"):
        assert secret(name) is None


def test_a_secret_that_cannot_be_read_is_told(tmp_path, caplog):
    (tmp_path / "TOKEN").write_bytes(b"\xff")
    (tmp_path / "DIR").mkdir()
    secret = SecretLookup(tmp_path, {"TOKEN": "variable"})
    with caplog.at_level(logging.WARNING):
        assert secret("TOKEN") == "variable"
        assert secret("DIR") is None
    assert caplog.messages == [
        f"{tmp_path}/TOKEN: not UTF-8 text; looking for TOKEN in the environment instead",
        f"{tmp_path}/DIR: Is a directory; looking for DIR in the environment instead",
    ]


def test_a_stored_secret_comes_behind_files_and_variables(here, caplog):
    key, other = (base64.b64encode(letter * 32).decode() for letter in (b"k", b"o"))
    environ = {"OFFRAMP_SECRETS_KEY": key, "OTHER": "from the variable"}
    settings = run_with(here, {}, environ)
    assert settings.secret("TOKEN") is None
    assert not settings.state.exists()
    with SecretStore(settings.state, settings.secrets_key) as store:
        for name in ("TOKEN", "OTHER"):
            store.set(name, "from the store", "ada")
        assert (settings.secret("TOKEN"), settings.secret("OTHER")) == ("from the store", "from the variable")
        store.set("TOKEN", "changed", "ada")
        assert settings.secret("TOKEN") == "changed"
        assert settings.secret("OFFRAMP_SECRETS_KEY") is None
        with caplog.at_level(logging.WARNING):
            for variables, says in (
                ({}, "OFFRAMP_SECRETS_KEY is not set, and "),
                ({"OFFRAMP_SECRETS_KEY": other}, "holds secrets that were encrypted with another key"),
            ):
                closed = run_with(here, {}, variables).secret
                assert [closed("TOKEN"), closed("TOKEN"), closed("ABSENT")] == [None] * 3
                assert closed.why_missing("TOKEN").startswith("secret 'TOKEN' is stored, but cannot be opened: ")
                assert closed.why_missing("ABSENT") == ""
                (message,) = caplog.messages
                assert message.startswith("stored secrets are missing: ")
                assert says in message
                assert "TOKEN" not in message
                caplog.clear()
        assert store.delete("TOKEN")
        assert settings.secret("TOKEN") is None


def test_a_store_that_cannot_be_read_leaves_what_was_read(here, caplog):
    environ = {"OFFRAMP_SECRETS_KEY": base64.b64encode(b"k" * 32).decode()}
    settings = run_with(here, {}, environ)
    with SecretStore(settings.state, settings.secrets_key) as store:
        store.set("TOKEN", "hunter2", "ada")
    assert settings.secret("TOKEN") == "hunter2"
    for file in settings.state.iterdir():
        file.unlink()
    (settings.state / "secrets.sqlite").write_bytes(b"damaged" * 100)
    with caplog.at_level(logging.WARNING):
        assert [settings.secret("TOKEN"), settings.secret("TOKEN")] == ["hunter2"] * 2
    (message,) = caplog.messages
    assert "file is not a database" in message
    assert message.endswith("; going by the secrets that were read before")


def test_a_key_is_never_shown(here):
    key = base64.b64encode(b"k" * 32).decode()
    assert key not in repr(run_with(here, {}, {"OFFRAMP_SECRETS_KEY": key}))
    with pytest.raises(SettingsError) as refused:
        run_with(here, {}, {"OFFRAMP_SECRETS_KEY": "hunter2"})
    assert str(refused.value) == (
        "OFFRAMP_SECRETS_KEY: key 1 is not 32 bytes in base64; `openssl rand -base64 32` makes one"
    )
    with pytest.raises(SettingsError, match="secrets_key"):
        run_with(here, {}, {}, f"secrets_key: {key}")


def test_every_row_fills_a_field():
    assert {row.name for row in TABLE} - {"config"} == set(Settings.__struct_fields__) - {"secret"}


def test_docs_are_not_stale():
    assert settings_doc.FILE.read_text("utf-8") == settings_doc.page(), "run: python -m flows.settings_doc"


@given(st.text())
def test_no_text_breaks_the_parsing_of_inputs(text):
    for parse in (parse_events, parse_persons):
        with contextlib.suppress(InputError):
            parse(text, Path("/nowhere"))


def test_the_webhook_is_taken_as_it_stands_and_never_shown(here):
    settings = run_with(here, environ={"OFFRAMP_NOTIFY": "https://a.example/hooks/k3y/"})
    assert settings.notify == "https://a.example/hooks/k3y/"
    assert "k3y" not in repr(settings)
    with pytest.raises(SettingsError) as refused:
        run_with(here, {"notify": "a.example/hooks/k3y"})
    assert str(refused.value) == "--notify: expected the whole URL of a webhook, http:// or https://"
