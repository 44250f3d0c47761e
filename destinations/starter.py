"""A new destination made from a template: what its file says to begin with."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from catalog.spec import Template
from destinations.posthog.names import secret_name

_SECRET: Final = re.compile(r"\{secrets\.(\w+)\}")


def starter(
    template: Template, id: str, inputs: Mapping[str, Any], mappings: Collection[str] | None = None
) -> dict[str, Any]:
    """The keys of the file. The template's filters and mappings are copied, so that its reader sees what is sent.

    Args:
        template: What it starts from.
        id: Of the destination.
        inputs: Those that are known; the others have the template's defaults.
        mappings: The names of those to have; None is all.
    """
    spec = template.spec
    chosen = [each for each in spec.mappings if mappings is None or each["name"] in mappings]
    parts = {"filters": spec.filters, "inputs": dict(inputs), "mappings": chosen}
    return {"id": id, "name": spec.name, "template": template.slug} | {key: each for key, each in parts.items() if each}


def with_secrets(template: Template, id: str, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The same inputs with each plain secret in a place of its own, and the secrets by name."""
    secrets: dict[str, str] = {}
    written: dict[str, Any] = {}
    for key, value in inputs.items():
        spec = template.spec.inputs.get(key)
        if spec is not None and spec.secret and isinstance(value, str) and value and "{" not in value:
            name = secret_name(id, key)
            secrets[name], value = value, f"{{secrets.{name}}}"
        written[key] = value
    return written, secrets


def first_inputs(template: Template, id: str) -> tuple[dict[str, Any], list[str]]:
    """What a person has to look at first: the inputs that are required, and the names of the secrets among them."""
    inputs: dict[str, Any] = {}
    secrets: list[str] = []
    for key, spec in template.spec.inputs.items():
        if not spec.required or spec.default is not None:
            continue
        if spec.secret and "{connections." not in str(spec.example):
            secrets.append(secret_name(id, key))
            inputs[key] = f"{{secrets.{secrets[-1]}}}"
        elif spec.choices:
            inputs[key] = spec.choices[0].value
        else:
            inputs[key] = spec.example if spec.example is not None else ""
            secrets += _SECRET.findall(str(inputs[key]))
    return inputs, secrets
