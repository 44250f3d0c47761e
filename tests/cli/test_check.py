import pytest

GOOD = "id: {id}\ninputs: {{url: 'https://example.com/'}}\n"
BAD = "id: {id}\nfilters: {{when: 'event =='}}\nsurprise: 1\ninputs: {{url: 'https://example.com/'}}\n"


@pytest.fixture
def write(here):
    (here / "destinations").mkdir()

    def write(**files: str) -> None:
        for id, content in files.items():
            (here / "destinations" / f"{id}.yaml").write_text(content.format(id=id))

    return write


SUMMARIES = [
    ({}, "no destination files here: they end in .yaml or .yml", 0),
    ({"a": GOOD}, "1 file: 1 fine", 0),
    ({"a": GOOD, "b": GOOD, "c": BAD}, "3 files: 2 fine, 1 with 2 problems", 1),
    ({"a": BAD.replace("surprise: 1\n", "")}, "1 file: 1 with 1 problem", 1),
]


@pytest.mark.parametrize(("files", "summary", "code"), SUMMARIES)
def test_the_last_line_counts(write, offramp, files, summary, code):
    write(**files)
    done = offramp("check")
    assert (done.code, done.err) == (code, "")
    assert done.out.splitlines()[-1] == summary


def test_a_problem_names_the_file_as_it_was_given_and_points_at_the_place(write, offramp):
    write(c=BAD)
    lines = offramp("check", "destinations").out.splitlines()
    assert any(line.startswith("destinations/c.yaml: ") for line in lines)
    assert any(line.strip() == "^" for line in lines)


def test_a_problem_of_the_project_is_one_too(write, offramp):
    write(a=GOOD, project="timezone: Oslo")
    done = offramp("check")
    assert (done.code, done.out.splitlines()[-1]) == (1, "2 files: 1 fine, 1 with 1 problem")
    assert "destinations/project.yaml: timezone (1,11): unknown time zone 'Oslo'" in done.out


def test_secrets_come_from_the_environment_and_the_mounted_directory(write, offramp, here, monkeypatch):
    write(a="id: a\ninputs: {{url: 'https://example.com/{{secrets.ONE}}/{{secrets.TWO}}'}}\n")
    assert offramp("check").code == 1
    monkeypatch.setenv("ONE", "1111")
    (here / "secrets").mkdir()
    (here / "secrets" / "TWO").write_text("2222")
    monkeypatch.setenv("OFFRAMP_SECRETS_DIR", "secrets")
    assert offramp("check") == (0, "1 file: 1 fine\n", "")


def test_a_directory_that_is_not_there(offramp, here):
    done = offramp("check", "gone")
    assert done == (2, "", f"offramp: --destinations: {here}/gone: no such directory; make it, or name another one\n")
