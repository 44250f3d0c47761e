from hypothesis import given
from hypothesis import strategies as st

from connectors.lines import Line, LineCutter


@given(st.lists(st.text("ab\r\n").map(str.encode)))
def test_lines_are_the_same_however_the_bytes_come(chunks: list[bytes]) -> None:
    cutter = LineCutter()
    lines = [line for chunk in chunks for line in cutter.cut(chunk)] + cutter.rest()
    whole = b"".join(chunks)
    assert sum(line.length for line in lines) == len(whole)
    assert [line.text for line in lines] == (whole.removesuffix(b"\n").split(b"\n") if whole else [])
    assert not cutter.pending


def test_a_huge_line_arrives_cut_and_counts_whole() -> None:
    cutter = LineCutter(max_line_bytes=10, kept_bytes=4)
    lines = cutter.cut(b"first\nabcdef") + cutter.cut(b"ghijkl") + cutter.cut(b"mnopqr") + cutter.cut(b"s\nlast\n")
    assert lines == [Line(b"first", 6), Line(b"abcd", 20), Line(b"last", 5)]


def test_a_line_of_exactly_the_limit_arrives_whole() -> None:
    cutter = LineCutter(max_line_bytes=10, kept_bytes=4)
    assert cutter.cut(b"abcde") + cutter.cut(b"fghij\n") == [Line(b"abcdefghij", 11)]
