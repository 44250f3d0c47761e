"""What the API gives of templates."""

from typing import Any

from console.api.models import Out


class TemplateRow(Out):
    """A template of the catalogue."""

    slug: str
    name: str
    description: str
    category: str
    status: str
    docs: str


class TemplateWhole(TemplateRow):
    """The same with the inputs that it asks for."""

    inputs: dict[str, dict[str, Any]]
    filters: dict[str, Any]
    mappings: list[dict[str, Any]]
    readme: str
