"""The page and the schema of the catalogue are what the catalogue says now."""

from pathlib import Path

import pytest

from catalog import builtin, catalog_doc


def test_the_page_is_not_stale() -> None:
    assert catalog_doc.FILE.read_text("utf-8") == catalog_doc.page(), "run `make docs`"


def test_the_schema_is_not_stale() -> None:
    assert catalog_doc.SCHEMA.read_text("utf-8") == catalog_doc.schema(), "run `make docs`"


@pytest.mark.parametrize("slug", catalog_doc.receivers())
def test_a_template_that_the_page_gives_a_real_receiver_has_tests_with_it(slug: str) -> None:
    assert slug in builtin()
    tests = [file.read_text("utf-8") for file in Path(__file__).parent.glob("test_receivers*.py")]
    assert any(f'"{slug}"' in text for text in tests)
