"""The template folders."""

from pathlib import Path

import pytest

from catalog import CatalogError, InputType, builtin, load

GOOD = """\
name: X
description: Y.
category: Custom
docs: https://x.example
source: x.example, 2026-11
hosts: ['*']
inputs: {url: {type: url, label: Address}}
request: {url: '{inputs.url}'}
"""


def test_the_webhook_template() -> None:
    spec = builtin()["webhook"].spec
    assert {key: (each.type, each.required, each.default) for key, each in spec.inputs.items()} == {
        "url": (InputType.URL, True, None),
        "method": (InputType.STRING, False, "POST"),
        "headers": (InputType.DICTIONARY, False, {"Content-Type": "application/json"}),
        "body": (InputType.JSON, False, {"event": "{event}", "person": "{person}"}),
    }


def test_templates_are_found_by_their_folder(tmp_path: Path) -> None:
    _write(tmp_path, "my-crm", GOOD)
    assert list(load(tmp_path)) == ["my-crm"]


@pytest.mark.parametrize(
    ("slug", "text", "message"),
    [
        ("My", GOOD, "{file}: the folder's name must be kebab-case: a-z, 0-9 and single hyphens"),
        ("a", "name: [", "{file} (1,8): expected the node content, but found '<stream end>'"),
        ("a", GOOD + "extra: 1", "{file}: Object contains unknown field `extra`"),
        ("a", GOOD.replace("type: url", "type: uri"), "{file}: Invalid enum value 'uri' - at `$.inputs[...].type`"),
    ],
)
def test_a_broken_template_raises(tmp_path: Path, slug: str, text: str, message: str) -> None:
    _write(tmp_path, slug, text)
    with pytest.raises(CatalogError) as raised:
        load(tmp_path)
    assert str(raised.value) == message.format(file=tmp_path / slug / "template.yaml")


def test_files_that_cannot_be_read_raise(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="there is no such folder of templates"):
        load(tmp_path / "nowhere")
    _write(tmp_path, "a", GOOD.rpartition("request:")[0])
    code = tmp_path / "a" / "code.hog"
    code.write_bytes(b"\xff")
    with pytest.raises(CatalogError, match=r"code.hog: the file is not UTF-8"):
        load(tmp_path)
    code.unlink()
    code.mkdir()
    with pytest.raises(CatalogError, match=r"code.hog: cannot be read: Is a directory"):
        load(tmp_path)


def _write(directory: Path, slug: str, text: str) -> None:
    (directory / slug).mkdir()
    (directory / slug / "template.yaml").write_text(text)
