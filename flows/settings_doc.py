"""Makes docs/settings.md from the table of settings: `python -m flows.settings_doc` writes it."""

from pathlib import Path

from flows.settings_table import TABLE, Setting

FILE = Path(__file__).parent.parent / "docs" / "settings.md"

_HEAD = """\
# Settings

<!-- Made from flows/settings_table.py by `python -m flows.settings_doc`; change it there. -->

Every setting can be a flag of `offramp run`, an environment variable, and a key of `offramp.yaml`. Flags win over
variables, variables over the file, the file over the defaults.

* The file is `offramp.yaml` in the working directory, or what `--config` or `OFFRAMP_CONFIG` names.
* Several values in one variable are separated by `;` or a line break. Networks, which contain neither, may also be
  separated by commas or spaces. In the file they are a list.
* An empty variable counts as not set. A variable that begins with `OFFRAMP_` and is no setting is an error; those that
  Kubernetes makes for services (`OFFRAMP_SERVICE_HOST`, `OFFRAMP_PORT`, …) are passed over.
* A relative path is relative to the working directory, in the file to the file's directory.

```yaml
events: [kafka://localhost:9092/clickhouse_events_json]
persons: kafka://localhost:9092/clickhouse_person,clickhouse_person_distinct_id
allow: [10.20.0.0/16]
kafka:
  security.protocol: SASL_SSL
  sasl.mechanisms: SCRAM-SHA-512
```
"""


def page() -> str:
    """The whole page."""
    sections = dict.fromkeys(row.section for row in TABLE)
    parts = [_HEAD]
    for section in sections:
        parts.append(f"## {section}\n")
        parts += [_entry(row) for row in TABLE if row.section == section]
    return "\n".join(parts)


def _entry(row: Setting) -> str:
    variable = f"{row.variable}_…" if row.name == "kafka" else row.variable
    names = [row.flag if row.has_flag else "", variable, row.name if row.in_file else ""]
    lines = [f"### {row.name}\n", " · ".join(f"`{name}`" for name in names if name) + "\n", f"{row.help}\n"]
    if row.default:
        lines.append(f"Default: `{row.default}`. Example: `{row.example}`.\n")
    else:
        lines.append(f"Example: `{row.example}`.\n")
    return "\n".join(lines)


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
