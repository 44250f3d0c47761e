"""Reads the template folders. A template that does not load is a fault of the catalogue, so it raises at once."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import msgspec

from catalog.scalar import YamlError
from catalog.spec import SLUG, Template, TemplateSpec
from catalog.yaml_file import parse, read

BUILTIN = Path(__file__).parent / "templates"

Catalog = Mapping[str, Template]
"""Templates by slug."""


class CatalogError(ValueError):
    """A template folder is not what it should be."""


def load(directory: Path) -> Catalog:
    """Read every `SLUG/template.yaml` under the directory; raises CatalogError."""
    if not directory.is_dir():
        raise CatalogError(f"{directory}: there is no such folder of templates")
    files = sorted(directory.glob("*/template.yaml"))
    return MappingProxyType({file.parent.name: _template(file) for file in files})


@cache
def builtin() -> Catalog:
    """The templates that come with Offramp."""
    return load(BUILTIN)


def _template(file: Path) -> Template:
    slug = file.parent.name
    if not SLUG.fullmatch(slug):
        raise CatalogError(f"{file}: the folder's name must be kebab-case: a-z, 0-9 and single hyphens")
    try:
        spec = msgspec.convert(parse(read(file)).values, TemplateSpec)
        code, request_code = (_program(file.with_name(name)) for name in ("code.hog", "request.hog"))
    except YamlError as error:
        raise CatalogError(f"{file} ({error.place.line},{error.place.column}): {error.message}") from None
    except msgspec.ValidationError as error:
        raise CatalogError(f"{file}: {error}") from None
    except OSError as error:
        raise CatalogError(f"{error.filename}: cannot be read: {error.strerror}") from None
    if sum(each is not None for each in (spec.request, code, request_code)) != 1:
        raise CatalogError(f"{file}: a template has either a `request`, or a request.hog or a code.hog beside it")
    return Template(slug, spec, code, request_code, file.parent)


def _program(file: Path) -> str | None:
    try:
        return file.read_text("utf-8") if file.exists() else None
    except UnicodeDecodeError:
        raise CatalogError(f"{file}: the file is not UTF-8") from None
