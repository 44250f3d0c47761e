"""`ilike` without wildcards inside has a short way for ASCII, which must agree with RE2's folding of letters."""

import re2
from hypothesis import given
from hypothesis import strategies as st

import hog

LETTERS = st.text("aAkKsS.é\u212a\u017f\u0130İßẞ\n", max_size=6)


@given(LETTERS, LETTERS)
def test_ilike_finds_what_re2_finds(text: str, part: str) -> None:
    found = re2.search(f"(?i){re2.escape(part)}", text) is not None

    assert hog.expression("text ilike f'%{part}%'")({"text": text, "part": part}) is found
    literal = "'%" + part.replace("\n", "\\n") + "%'"
    assert hog.expression(f"text ilike {literal}")({"text": text}) is found
