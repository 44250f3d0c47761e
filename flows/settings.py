"""What the job runs with: flags over `OFFRAMP_` variables over offramp.yaml over defaults.

The only module of the product that reads the environment. Looks at files, opens no connection, and never shows a
credential: not in an error, not in the repr.
"""

import difflib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from connectors.secret_store import SecretStore
from flows.inputs import FileInput, Input, InputError, KafkaInput, Persons, StdinInput, Table
from flows.secrets import SecretLookup
from flows.setting_kinds import Network, Place, SettingsError, read_client_settings
from flows.settings_file import Written, read_file
from flows.settings_table import TABLE, Setting
from records.hidden import StoreKeys

__all__ = [
    "FileInput",
    "Input",
    "InputError",
    "KafkaInput",
    "Network",
    "Persons",
    "SecretLookup",
    "Settings",
    "SettingsError",
    "StdinInput",
    "Table",
    "from_process",
    "load",
]

_ROWS = {row.name: row for row in TABLE}
_VARIABLES = {row.variable: row for row in TABLE if row.name != "kafka"}
_KAFKA_PREFIX = "OFFRAMP_KAFKA_"
# Kubernetes gives every pod such variables for each service of its namespace, also for one called "offramp".
_SERVICE_LINK = re.compile(
    r"OFFRAMP_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
_CREDENTIAL = re.compile("user|pass|secret|token|key|pem|credential|jaas|config", re.IGNORECASE)
_DEFAULT_SECRETS_DIR = Path("/run/secrets/offramp")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, read and checked. Paths are absolute; docs/settings.md says what each means and its default."""

    events: tuple[Input, ...] = ()
    persons: Persons | None = None
    groups: Table | None = None
    capture: Table | None = None
    notify: str | None = None
    start: Literal["earliest", "latest"]
    until_end: bool
    kafka: dict[str, str] = {}
    destinations: Path
    allow: tuple[Network, ...] = ()
    secrets_dir: Path | None = None
    secrets_key: StoreKeys | None = None
    project: int
    group_types: dict[str, int] = {}
    site_url: str
    state: Path
    workers: int
    shutdown_grace_s: float
    snapshot_interval_s: float
    journal_days: int
    ledger_days: int
    log: str
    console_address: tuple[str, int]
    console_names: tuple[str, ...] = ()
    console_accounts: str = ""
    console_session_key: str = ""
    api_token: str = ""
    secret: SecretLookup
    """`secret(name)` is the text of a secret, or None."""

    @property
    def journal(self) -> Path:
        """The file of the journal."""
        return self.state / "journal.sqlite"

    def __repr__(self) -> str:
        """Every field, with `***` for what looks like a credential."""
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which would otherwise read the fields by itself."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        secret = ("notify", "console_accounts", "console_session_key", "api_token")
        masked = {name: fields[name] and "***" for name in secret}
        return list((fields | masked | {"kafka": _hidden(self.kafka)}).items())


def from_process(flags: Mapping[str, object], only: Collection[str] | None = None) -> Settings:
    """`load` with this process's environment and working directory."""
    return load(flags, os.environ, Path.cwd(), only)


def load(
    flags: Mapping[str, object], environ: Mapping[str, str], cwd: Path, only: Collection[str] | None = None
) -> Settings:
    """Settings from the three layers.

    `flags` maps names of settings to text, lists of text or bools; None is a flag that was not given. `only` takes no
    other settings than these from the layers and asks for no inputs: for commands that need just the state, say.

    Errors: SettingsError, with the first thing that is wrong.
    """
    by_variable = _by_variable(environ, cwd)
    by_flag = _by_flag(flags, cwd)
    by_file = _by_file((by_variable | by_flag).get("config"), cwd)
    written = by_file | by_variable | by_flag
    wanted = _ROWS.keys() if only is None else only
    chosen = _defaults(cwd) | {name: one for name, one in written.items() if name in wanted}
    values: dict[str, Any] = {
        name: _ROWS[name].kind.read(one.value, one.place) for name, one in chosen.items() if name != "config"
    }
    if only is None:
        _require_inputs(values)
        _refuse_two_roles(values)
    for name, value in values.items():
        if name in wanted:
            _check(_ROWS[name], value, chosen[name].place)
    values["kafka"] = values.get("kafka", {}) | _kafka_by_variable(environ, cwd)
    values.setdefault("secrets_dir", _DEFAULT_SECRETS_DIR if _DEFAULT_SECRETS_DIR.is_dir() else None)
    store = SecretStore(values["state"], values.get("secrets_key")) if "secrets_key" in wanted else None
    return Settings(**values, secret=SecretLookup(values["secrets_dir"], environ, store))


def _defaults(cwd: Path) -> dict[str, Written]:
    return {row.name: Written(row.name, row.default, Place(row.flag, cwd)) for row in TABLE if row.default}


def _by_flag(flags: Mapping[str, object], cwd: Path) -> dict[str, Written]:
    return {
        name: Written(name, value, Place(_ROWS[name].flag, cwd))
        for name, value in flags.items()
        if value is not None and value != []
    }


def _by_variable(environ: Mapping[str, str], cwd: Path) -> dict[str, Written]:
    """The settings among the variables. An empty variable is one that is not set."""
    found = {}
    for name in sorted(environ):
        row = _VARIABLES.get(name)
        if row is None:
            _refuse_unknown_variable(name)
        elif environ[name].strip():
            found[row.name] = Written(row.name, environ[name], Place(name, cwd))
    return found


def _kafka_by_variable(environ: Mapping[str, str], cwd: Path) -> dict[str, str]:
    settings: dict[str, str] = {}
    for name in sorted(environ):
        if name.startswith(_KAFKA_PREFIX) and environ[name] and not _SERVICE_LINK.fullmatch(name):
            key = name.removeprefix(_KAFKA_PREFIX).lower().replace("_", ".")
            settings |= read_client_settings({key: environ[name]}, Place(name, cwd))
    return settings


def _refuse_unknown_variable(name: str) -> None:
    if not name.startswith("OFFRAMP_") or _SERVICE_LINK.fullmatch(name):
        return
    if name.startswith(_KAFKA_PREFIX) and name != _KAFKA_PREFIX:
        return
    if name.rstrip("_") == _KAFKA_PREFIX.rstrip("_"):
        raise SettingsError(
            f"{name}: one variable for each setting of the Kafka client, such as OFFRAMP_KAFKA_SASL_USERNAME"
        )
    raise SettingsError(f"{name}: unknown variable{_suggestion(name, _VARIABLES, prefix='OFFRAMP_')}")


def _by_file(config: Written | None, cwd: Path) -> dict[str, Written]:
    shown = "offramp.yaml" if config is None else str(config.value)
    file = cwd / shown
    if config is None and not file.exists():
        return {}
    keys = {row.name for row in TABLE if row.in_file}
    found = {}
    for one in read_file(file, shown):
        if one.key not in keys:
            raise one.place.error(f"unknown key{_suggestion(one.key, keys)}")
        if one.value is not None:
            found[one.key] = one
    return found


def _suggestion(name: str, known: Iterable[str], prefix: str = "") -> str:
    """What is likely meant. The prefix is left out of the comparison: all names are alike in it."""
    candidates = [one.removeprefix(prefix) for one in known]
    close = difflib.get_close_matches(name.removeprefix(prefix), candidates, n=1)
    return f"; did you mean {prefix}{close[0]}?" if close else "; docs/settings.md lists all"


def _check(row: Setting, value: object, place: Place) -> None:
    if row.kind.check is not None:
        row.kind.check(value, place)


def _require_inputs(values: Mapping[str, object]) -> None:
    if not values.get("events"):
        raise SettingsError(
            "no events to read: give --events, OFFRAMP_EVENTS or 'events' in offramp.yaml; "
            "for example --events kafka://localhost:9092/clickhouse_events_json, --events events.jsonl or --events -"
        )


def _refuse_two_roles(values: Mapping[str, Any]) -> None:
    persons: Persons | None = values.get("persons")
    if persons is not None and persons[0].stream in {one.stream for one in values["events"]}:
        raise SettingsError(f"{persons[0].stream} is given as events and as persons; it can be only one of them")


def _hidden(kafka: Mapping[str, str]) -> dict[str, str]:
    return {name: "***" if _CREDENTIAL.search(name) else value for name, value in kafka.items()}
