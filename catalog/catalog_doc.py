"""Makes docs/catalog.md and docs/template.schema.json from the catalogue: `python -m catalog.catalog_doc` does."""

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from catalog.cases import read_cases
from catalog.loading import builtin
from catalog.spec import Category, Template, TemplateSpec

_ROOT: Final = Path(__file__).parent.parent
_DOCS: Final = _ROOT / "docs"
_DESCRIBED: Final = _ROOT / "tests" / "catalog" / "openapi"
"""Descriptions of APIs by slug, which tests check requests against; beside the package, as `docs` is."""
_RECEIVERS: Final = _ROOT / "tests" / "catalog" / "receivers.json"
"""What takes the requests of templates in tests, by slug."""
FILE: Final = _DOCS / "catalog.md"
SCHEMA: Final = _DOCS / "template.schema.json"

_HEAD = """\
# The catalogue

<!-- Made from catalog/templates by `python -m catalog.catalog_doc`; change it there. -->

{count} templates. Each has cases: events with the exact requests that are made of them, and failures that the
vendor really gives. Every case is run with scripted answers, and once more on the whole road, from the event to an HTTP
server and back. Where it says *OpenAPI*, the requests of the cases, and those of odd events, are checked against the
description of the API that its vendor has published: {described} templates. Where it says *real receiver*, tests send
events over the whole road to it, read back what is there then, and make it refuse: {received} templates. It is the
vendor's own server where one can be installed. Moto is not Amazon's, but checks signatures and policies as AWS does;
ClickHouse's engine stands behind a few lines of ours, which ask for no password.

`offramp template show NAME` says where its credentials are found and what its errors mean. A template of your own
begins with `offramp template new NAME`; editors complete it by [template.schema.json](template.schema.json).
"""


def page() -> str:
    """The whole page."""
    templates = builtin().values()
    sections = [
        _section(category, [one for one in templates if one.spec.category is category]) for category in Category
    ]
    return "\n".join(
        [
            _HEAD.format(count=len(templates), described=len(_described()), received=len(receivers())),
            *(section for section in sections if section),
        ]
    )


def schema() -> str:
    """What editors need to know of `template.yaml`."""
    whole: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(whole | msgspec.json.schema(TemplateSpec), indent=2) + "\n"


def _section(category: Category, templates: list[Template]) -> str:
    if not templates:
        return ""
    rows = [f"## {category}", "", "| name | template | what it does | status | proven by |", "|---|---|---|---|---|"]
    described, received = _described(), receivers()
    for one in sorted(templates, key=lambda one: one.spec.name.lower()):
        spec = one.spec
        name = f"[{spec.name}]({spec.docs})"
        proof = f"{len(read_cases(one.folder))} cases" + (", OpenAPI" if one.slug in described else "")
        proof += f", real receiver: {_cell(received[one.slug])}" if one.slug in received else ""
        rows.append(f"| {name} | `{one.slug}` | {_cell(spec.description)} | {spec.status} | {proof} |")
    return "\n".join(rows) + "\n"


def _described() -> set[str]:
    """The slugs of the templates whose requests are checked against a published description."""
    return {file.stem for file in _DESCRIBED.glob("*.json")}


def receivers() -> dict[str, str]:
    """The servers that take the requests of templates in tests, by slug."""
    return msgspec.json.decode(_RECEIVERS.read_bytes(), type=dict[str, str])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
    SCHEMA.write_text(schema(), "utf-8")
