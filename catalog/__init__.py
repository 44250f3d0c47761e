"""What a template is, and the templates that come with Offramp."""

from catalog.loading import Catalog, CatalogError, builtin, load
from catalog.problem import Problem
from catalog.spec import InputSpec, InputType, RequestSpec, Template, TemplateSpec

__all__ = [
    "Catalog",
    "CatalogError",
    "InputSpec",
    "InputType",
    "Problem",
    "RequestSpec",
    "Template",
    "TemplateSpec",
    "builtin",
    "load",
]
