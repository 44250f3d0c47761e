"""The page and the schema of the catalogue are what the catalogue says now."""

from catalog import catalog_doc


def test_the_page_is_not_stale() -> None:
    assert catalog_doc.FILE.read_text("utf-8") == catalog_doc.page(), "run `make docs`"


def test_the_schema_is_not_stale() -> None:
    assert catalog_doc.SCHEMA.read_text("utf-8") == catalog_doc.schema(), "run `make docs`"
