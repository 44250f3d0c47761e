"""Makes docs/catalog.md and docs/template.schema.json from the catalogue: `python -m catalog.catalog_doc` does."""

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from catalog.cases import read_cases
from catalog.loading import builtin
from catalog.spec import Category, Template, TemplateSpec

_DOCS: Final = Path(__file__).parent.parent / "docs"
FILE: Final = _DOCS / "catalog.md"
SCHEMA: Final = _DOCS / "template.schema.json"

_HEAD = """\
# The catalogue

<!-- Made from catalog/templates by `python -m catalog.catalog_doc`; change it there. -->

{count} templates. Each has cases: events with the exact requests that are made of them, and failures that the
vendor really gives. Every case is run with scripted answers, and once more on the whole road, from the event to an HTTP
server and back.

`offramp template show NAME` says where its credentials are found and what its errors mean. A template of your own
begins with `offramp template new NAME`; editors complete it by [template.schema.json](template.schema.json).
"""


def page() -> str:
    """The whole page."""
    templates = builtin().values()
    sections = [
        _section(category, [one for one in templates if one.spec.category is category]) for category in Category
    ]
    return "\n".join([_HEAD.format(count=len(templates)), *(section for section in sections if section)])


def schema() -> str:
    """What editors need to know of `template.yaml`."""
    whole: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(whole | msgspec.json.schema(TemplateSpec), indent=2) + "\n"


def _section(category: Category, templates: list[Template]) -> str:
    if not templates:
        return ""
    rows = [f"## {category}", "", "| name | template | what it does | status | cases |", "|---|---|---|---|---|"]
    for one in sorted(templates, key=lambda one: one.spec.name.lower()):
        spec = one.spec
        name = f"[{spec.name}]({spec.docs})"
        cases = len(read_cases(one.folder))
        rows.append(f"| {name} | `{one.slug}` | {_cell(spec.description)} | {spec.status} | {cases} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
    SCHEMA.write_text(schema(), "utf-8")
