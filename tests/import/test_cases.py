"""Function objects in the shape of PostHog's API, each with the requests that its author expects."""

import importlib
import json

import pytest

from catalog.yaml_file import parse

of_case = importlib.import_module("tests.import.case")


@pytest.fixture(params=of_case.NAMES)
def case(request, tmp_path):
    case = of_case.read(request.param)
    if "waits_for" in case and not of_case.takes(case["waits_for"], tmp_path / "probe"):
        pytest.skip(f"destination files do not know `{case['waits_for']}` yet")
    return case


def test_what_is_said_of_each_function(case, tmp_path):
    found = {one.id if one.text else one.name: one for one in of_case.imported(case, tmp_path / "d")}
    assert list(found) == list(case["functions"]), {key: one.because for key, one in found.items()}
    for key, wanted in case["functions"].items():
        one = found[key]
        if "because" in wanted:
            assert wanted["because"] in one.because
            assert one.text == ""
            continue
        assert (one.because, one.text != "") == ("", True)
        assert of_case.differences(one, tmp_path / "d") == wanted.get("differences", [])
        assert wanted["carried"] == ("with differences" if of_case.differences(one, tmp_path / "d") else "whole")
        assert list(one.secrets) == wanted.get("secrets", [])


def test_the_files_say_what_they_have_to(case, tmp_path):
    for one in of_case.imported(case, tmp_path / "d"):
        wanted = case["functions"].get(one.id, {})
        if not one.text:
            continue
        values = parse(one.text.encode()).values
        if "template" in wanted:
            assert (values.get("template"), "code" in values) == (wanted["template"], wanted["template"] is None)
        assert values.get("enabled", True) == wanted.get("enabled", True)
        assert values.get("delivery", {}).get("success", ["2xx"]) == wanted.get("success", ["2xx"])
        assert values.get("masking") == wanted.get("masking")
        assert values.get("filters", {}).get("source") == wanted.get("source")
        assert [mapping["name"] for mapping in values.get("mappings", [])] == wanted.get("mappings", [])
        for text in ("bytecode:", "order:", "- _H", "[_H", *wanted.get("without", [])):
            assert text not in one.text


def test_the_requests_are_those_that_the_author_expects(case, tmp_path):
    of_case.imported(case, tmp_path / "d")
    loaded = of_case.loaded(case, tmp_path / "d")
    if case["tries"]:
        assert [str(problem) for problem in loaded.problems] == []
    for tried in case["tries"]:
        for shape, view in of_case.views(tried):
            for id, requests in tried["requests"].items():
                found = of_case.sent(loaded.destinations[id], view)
                assert found == of_case.expected(requests), f"{id}, {shape}: {json.dumps(tried['event'])}"


def test_an_export_of_the_files_is_imported_to_the_same_files(case, tmp_path):
    first = [one for one in of_case.imported(case, tmp_path / "d") if one.text]
    exported = of_case.export(first)
    again = of_case.imported({"answer": exported}, tmp_path / "again")
    assert [(one.id, one.text, one.differences) for one in again] == [(one.id, one.text, []) for one in first]
