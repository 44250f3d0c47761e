"""The catalogue of templates."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, HTTPException, Query

from catalog import Template
from console.api import template_models as models
from console.api.roles import Space, Viewer

router = APIRouter(prefix="/templates", tags=["templates"])


@router.get("", summary="All templates, by name")
def list_templates(
    _: Viewer, space: Space, text: Annotated[str, Query(max_length=200, description="Only those with it.")] = ""
) -> list[models.TemplateRow]:
    """Name, category and description are searched for the text."""
    return [_row(one) for one in space.catalog.values() if text.lower() in _searched(one)]


@router.get("/{slug}", summary="One template, with its inputs")
def get_template(_: Viewer, space: Space, slug: str) -> models.TemplateWhole:
    """And what its README says."""
    template = space.template(slug)
    if template is None:
        raise HTTPException(404, f"there is no template '{slug}'")
    spec = template.spec
    inputs = {key: msgspec.to_builtins(one) for key, one in spec.inputs.items()}
    more = {"inputs": inputs, "filters": spec.filters, "mappings": spec.mappings, "readme": template.readme}
    return models.TemplateWhole(**_row(template).model_dump() | more)


def _row(template: Template) -> models.TemplateRow:
    spec = template.spec
    return models.TemplateRow(
        slug=template.slug,
        name=spec.name,
        description=spec.description,
        category=spec.category,
        status=spec.status,
        docs=spec.docs,
    )


def _searched(template: Template) -> str:
    spec = template.spec
    return f"{template.slug} {spec.name} {spec.category} {spec.description}".lower()
