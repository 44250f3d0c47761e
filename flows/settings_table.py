"""The table of all settings: flags, variables, keys of offramp.yaml, help texts and docs/settings.md are made from it.

Data only. A setting that is not here does not exist; nothing about a setting is written down a second time.
"""

import msgspec

from flows import setting_kinds as kinds
from flows.setting_kinds import Kind


class Setting(msgspec.Struct, frozen=True):
    """One row. The field of `Settings` that it fills has the same name."""

    name: str
    kind: Kind
    section: str
    help: str
    """What it does and what happens without it, in sentences."""
    example: str
    """A value as it is written after the flag."""
    default: str = ""
    """As a user would write it; empty when there is none."""
    has_flag: bool = True
    in_file: bool = True

    @property
    def flag(self) -> str:
        """The option of `offramp run`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "OFFRAMP_" + self.name.upper()


INPUTS = "Inputs"
DELIVERY = "Destinations"
RUNNING = "Running"
CONSOLE = "Console"

TABLE = (
    Setting(
        "events",
        kinds.events(),
        INPUTS,
        "Where events are read from: a topic, a file of JSON lines, or - for standard input. Can be given several "
        "times; the inputs are read side by side.",
        "kafka://localhost:9092/clickhouse_events_json",
    ),
    Setting(
        "persons",
        kinds.persons(),
        INPUTS,
        "Persons and their distinct ids: two compacted topics of one cluster, or two files of JSON lines. They "
        "are read to the end before the first event is processed, then followed. A deletion is a message with "
        "is_deleted; a tombstone (a message without a value) deletes nobody. Without persons an event has the person "
        "its row carries. Destinations of `source: person-updates` get each change of a person, from the end of the "
        "topic on.",
        "kafka://localhost:9092/clickhouse_person,clickhouse_person_distinct_id",
    ),
    Setting(
        "groups",
        kinds.groups(),
        INPUTS,
        "Groups: a compacted topic, or a file of JSON lines; treated like persons.",
        "kafka://localhost:9092/clickhouse_groups",
    ),
    Setting(
        "start",
        kinds.choice("earliest", "latest"),
        INPUTS,
        "Where a topic or file is begun that this state directory has never read. After that the job goes on "
        "where it was.",
        "latest",
        default="earliest",
    ),
    Setting(
        "until_end",
        kinds.switch(),
        INPUTS,
        "Stop when the inputs are exhausted and every invocation is settled; print one line per destination. The "
        "exit code is 1 when a delivery failed for good. Without it the job follows its inputs until SIGTERM or "
        "Ctrl-C.",
        "true",
        default="false",
    ),
    Setting(
        "kafka",
        kinds.client_settings(),
        INPUTS,
        "Settings of the Kafka client by librdkafka's names, for TLS and authentication. As variables, one each: "
        "OFFRAMP_KAFKA_SASL_USERNAME is sasl.username, so every underscore is a dot. There is no flag, because a "
        "command line can be read by everybody on the machine.",
        "{security.protocol: SASL_SSL, sasl.mechanisms: SCRAM-SHA-512}",
        has_flag=False,
    ),
    Setting(
        "destinations",
        kinds.directory(exists=True),
        DELIVERY,
        "The directory of destination files, one YAML file each. Changes take effect within 2 s.",
        "/etc/offramp/destinations",
        default="destinations",
    ),
    Setting(
        "allow",
        kinds.networks(),
        DELIVERY,
        "A network that destinations may reach although it is not public. Can be given several times. Without it "
        "only public addresses are connected to.",
        "10.20.0.0/16",
    ),
    Setting(
        "secrets_dir",
        kinds.directory(exists=True),
        DELIVERY,
        "The directory of secrets: {secrets.CRM_TOKEN} is the text of its file CRM_TOKEN, else the environment "
        "variable CRM_TOKEN, else what was stored under that name (secrets_key). Names that begin with OFFRAMP_ are "
        "never given to a destination. Without it /run/secrets/offramp, where that exists.",
        "/run/secrets/crm",
    ),
    Setting(
        "secrets_key",
        kinds.store_keys(),
        DELIVERY,
        "The key of the secrets that people enter with `offramp secrets set` or in the console: 32 bytes in base64, as "
        "`openssl rand -base64 32` prints them. They are kept encrypted in the state directory, and looked up behind "
        "files and variables. Several keys, separated by commas: the first encrypts, all decrypt; `offramp secrets "
        "rotate` encrypts all with the first. Only a variable, because settings are read by more people than secrets.",
        "dGhpcyBpcyBhbiBleGFtcGxlLCBub3QgYSByZWFsIGs=",
        has_flag=False,
        in_file=False,
    ),
    Setting(
        "project",
        kinds.whole_number(1),
        DELIVERY,
        "The project (team) of an event that names none.",
        "2",
        default="1",
    ),
    Setting(
        "group_types",
        kinds.numbers_by_name(),
        DELIVERY,
        "The index of a group type, so that templates can say groups.company. Can be given several times; a "
        "mapping in offramp.yaml.",
        "company=0",
    ),
    Setting(
        "site_url",
        kinds.url(),
        DELIVERY,
        "The address that project.url, person.url and event.url begin with.",
        "https://offramp.example.com",
        default="http://localhost:8010",
    ),
    Setting(
        "capture",
        kinds.capture(),
        DELIVERY,
        "Where events go that a destination's code emits with postHogCapture: a topic, or a file of JSON lines that is "
        "appended to. Without it postHogCapture is an error.",
        "kafka://localhost:9092/captured_events",
    ),
    Setting(
        "notify",
        kinds.webhook(),
        DELIVERY,
        "A webhook that is told when the health of any destination changes, such as when one is quarantined: a POST "
        "with destination, name, before, after, at, reason, response and url in JSON, tried again for 24 h. Besides, "
        "notify in a destination's file names one for that destination.",
        "https://alerts.example.com/offramp",
    ),
    Setting(
        "state",
        kinds.directory(exists=False),
        RUNNING,
        "The directory of what must survive a restart: positions, the person table, the journal. Made when it is "
        "missing; one job at a time.",
        "/var/lib/offramp",
        default=".offramp",
    ),
    Setting(
        "workers",
        kinds.whole_number(1),
        RUNNING,
        "Worker threads. Keep one until a core is full.",
        "4",
        default="1",
    ),
    Setting(
        "shutdown_grace_s",
        kinds.seconds(0),
        RUNNING,
        "How long requests in flight may still take after SIGTERM. What is not done then is sent after the restart.",
        "10",
        default="25",
    ),
    Setting(
        "snapshot_interval_s",
        kinds.seconds(0.05),
        RUNNING,
        "Time between two snapshots. After a crash, what was settled since the last one is sent again with the "
        "same webhook-id.",
        "5",
        default="1",
    ),
    Setting(
        "journal_days",
        kinds.whole_number(1),
        RUNNING,
        "Days that log lines, metrics and dead letters are kept.",
        "30",
        default="7",
    ),
    Setting(
        "ledger_days",
        kinds.whole_number(1),
        RUNNING,
        "Days that deliveries which failed for good are kept, for offramp failed and offramp replay --failed; at most "
        "200,000 of them, with 512 MB of answers. The oldest go first.",
        "90",
        default="30",
    ),
    Setting(
        "log",
        kinds.choice("text", "json"),
        RUNNING,
        "The job's own log on standard error: one line per record, as text or as a JSON object.",
        "json",
        default="text",
    ),
    Setting(
        "config",
        kinds.file(),
        RUNNING,
        "The file of settings; relative paths in it are relative to its directory. Without it offramp.yaml in the "
        "working directory, where that exists.",
        "/etc/offramp/offramp.yaml",
        in_file=False,
    ),
    Setting(
        "console_address",
        kinds.address(),
        CONSOLE,
        "Where offramp console listens; port 0 is any that is free. On another address than this machine's own it "
        "needs console_accounts.",
        "0.0.0.0:8020",
        default="127.0.0.1:8020",
    ),
    Setting(
        "console_names",
        kinds.names("NAME"),
        CONSOLE,
        "The names by which browsers call the console, where it is not the address alone; * is any.",
        "offramp.example.com",
    ),
    Setting(
        "console_accounts",
        kinds.text("ACCOUNTS"),
        CONSOLE,
        "Who may use the console: NAME:ROLE:SECRET, with commas between. ROLE is viewer, editor or operator. SECRET is "
        "a token of 20 characters or more, or what offramp console-hash makes of a password. Without accounts "
        "everybody on this machine is an operator.",
        "anna:operator:scrypt:…",
        has_flag=False,
        in_file=False,
    ),
    Setting(
        "console_session_key",
        kinds.text("KEY"),
        CONSOLE,
        "What sessions of browsers are signed with. Without it they end with the console.",
        "a long random text",
        has_flag=False,
        in_file=False,
    ),
    Setting(
        "api_token",
        kinds.text("TOKEN"),
        CONSOLE,
        "As whom commands with --api ask a console: the token of one of its accounts.",
        "0123456789abcdefghij",
        has_flag=False,
        in_file=False,
    ),
)
