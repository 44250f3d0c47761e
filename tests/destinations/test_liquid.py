"""Liquid templates: their text, their mistakes, what they read, and how much they may take."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations import Destination, InputError, Loaded
from destinations.globals import invocation_needs
from destinations.liquid import LiquidError, compile_liquid
from destinations.liquid.engine import ENGINE
from records import Code
from tests.destinations.events import view

LoadOne = Callable[[str], Destination]
LoadFiles = Callable[..., Loaded]

GLOBALS: dict[str, Any] = {
    "event": {
        "event": "a<b",
        "distinct_id": "d",
        "properties": {
            "n": 5.0, "b": True, "none": None, "list": [3, 1, 2, 3], "rows": [{"k": "x", "v": 1}, {"k": "y", "v": 2}],
            "at": "2026-11-16T18:10:20.813Z", "html": "<p title='x'>a &amp; \"b\"</p>",
        },
    },
    "person": None,
}  # fmt: skip
P = "event.properties"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("{a} <b> &lt;", "{a} <b> &lt;"),
        # Escaping, as LiquidJS does it with `outputEscape: 'escape'`.
        ("{{ event.event }}", "a&lt;b"),
        ("{{ event.event | raw }}", "a<b"),
        ("{{ event.event | raw | upcase }}", "A&lt;B"),
        ("{{ '<b>' }}", "&lt;b&gt;"),
        ("{{ event.event | append: '<br>' }}", "a&lt;b&lt;br&gt;"),
        ("{{ event.event | escape }}", "a&amp;lt;b"),
        ("{{ event.properties.html }}", "&lt;p title=&#39;x&#39;&gt;a &amp;amp; &#34;b&#34;&lt;/p&gt;"),
        ("{% assign e = event.event %}{{ e }}", "a&lt;b"),
        ("{% echo event.event %}{% cycle event.event, 'x' %}", "a&lt;ba&lt;b"),
        # Entities inside tags, and only there.
        ("&gt;{% if event.properties.n &gt; 4 %}y{% endif %}", "&gt;y"),
        ("{{ event.event | replace: &quot;a&quot;, &#39;c&#39;&nbsp;}}", "c&lt;b"),
        # Values as JavaScript writes them.
        (f"{{{{ {P}.n }}}} {{{{ {P}.b }}}} {{{{ {P}.none }}}} {{{{ {P}.nope.nope }}}}", "5 true  "),
        (f"{{{{ {P}.list }}}} {{{{ {P}.rows[0] | json | raw }}}}", '3123 {"k":"x","v":1}'),
        (f"{{{{ {P}.n | append: '!' }}}}{{{{ {P}.b | upcase }}}}", "5!TRUE"),
        ("{{ person.name | default: 'you' }}", "you"),
        (f"{{{{ {P}.nope | json }}}}", "null"),
        # Tags.
        (f"{{% for row in {P}.rows %}}{{{{ row.k }}}}{{% unless forloop.last %}},{{% endunless %}}{{% endfor %}}",
         "x,y"),
        ("{% case event.event %}{% when 'a<b' %}1{% else %}2{% endcase %}{% if not person %}3{% endif %}",
         "13"),
        ("{% capture c %}a{% endcapture %}{{ c }}{% comment %}x{% endcomment %}{% raw %}{{ y }}{% endraw %}",
         "a{{ y }}"),
        ("{% increment c %}{{ c }}{% for i in (1..3) %}{{ i }}{% endfor %}", "01123"),
        (" {%- if true -%} a {%- endif -%} ", "a"),
        # Filters.
        (f"{{{{ {P}.list | sort | uniq | join: '-' }}}}", "1-2-3"),
        (f"{{{{ {P}.rows | map: 'v' | sum }}}} {{{{ {P}.rows | where: 'k', 'y' | size }}}}", "3 1"),
        (f"{{{{ {P}.rows | group_by: 'k' | map: 'name' | array_to_sentence_string }}}}", "x and y"),
        ("{{ 'a,b' | split: ',' | push: 'c' | unshift: '0' | shift | pop | join: '+' }}", "a+b"),
        ("{{ 5 | divided_by: 2 }} {{ 5.0 | divided_by: 2 }} {{ '3' | plus: 1.5 }}", "2 2.5 4.5"),
        ("{{ 'a b&c' | url_encode | raw }} {{ 'a b' | cgi_escape }} {{ 'a b/c' | uri_escape }}", "a+b%26c a+b a%20b/c"),
        ("{{ ' a  b ' | normalize_whitespace }} {{ 'a b' | number_of_words }} {{ '12.7' | to_integer }}", " a b  2 12"),
        (f"{{{{ {P}.html | strip_html | raw }}}}", 'a &amp; "b"'),
        ("{{ 'a<script>x</script><!-- c --><style>y</style>b < c' | strip_html | raw }}", "ab < c"),
        (f"{{{{ {P}.at | date: '%Y-%m-%d %-d%q %b %H:%M:%S.%L %z' }}}}", "2026-11-16 16th Nov 18:10:20.813 +0000"),
        (f"{{{{ {P}.at | date }}}}", "Monday, November 16, 2026 at 6:10 pm +0000"),
        (f"{{{{ {P}.at | date: '%H:%M', 'Europe/Vienna' }}}} {{{{ {P}.at | date: '%H:%M', -330 }}}}", "19:10 23:40"),
        ("{{ 0 | date: '%F %T' }} {{ '86400' | date: '%F' }} {{ 'soon' | date: '%F' }}",
         "1970-01-01 00:00:00 1970-01-02 soon"),
        ("{{ 'Mon, 16 Nov 2026 18:10:20 GMT' | date_to_xmlschema }}", "2026-11-16T18:10:20+00:00"),
    ],
)  # fmt: skip
def test_a_text(template: str, text: str) -> None:
    assert compile_liquid(template)(GLOBALS) == text


def test_now_is_a_time() -> None:
    before = int(time.time())
    assert before <= int(compile_liquid("{{ now | date: '%s' }}")({})) <= before + 5


@pytest.mark.parametrize(
    ("template", "offset", "message"),
    [
        ("a {{ event", 2, "'{{' is not closed: '}}' is missing"),
        ("a {% if x", 2, "'{%' is not closed: '%}' is missing"),
        ("a {% raw %} {{ x }}", 2, "tag 'raw' is not closed: 'endraw' is missing"),
        ("{{ event.event | }}", 0, "expected word, found end of expression"),
        ("a\nb {{ event.event | upcse }}", 21, "unknown filter 'upcse'; did you mean 'upcase'?"),
        ("{{ 'a' | append: &quot;b&quot; }}{{ event.event | zzz }}", 50, "unknown filter 'zzz'"),
        ("{% include 'a' %}", 3, "tag 'include' does not exist here: there are no other templates to take in"),
        ("{% render 'a' %}", 3, "tag 'render' does not exist here: there are no other templates to take in"),
        ("{% layout 'a' %}", 3, "tag 'layout' does not exist here: there are no other templates to take in"),
        ("{% frob %}", 3, "unexpected tag 'frob'"),
        ("{% if true %}", 0, "expected tag endif, found end of expression"),
        ("{% assign event = 1 %}", 10, "`event` is there already: choose another name"),
        ("{% capture secrets %}{% endcapture %}", 11, "`secrets` is there already: choose another name"),
        ("{{ [event.event] }}", 3, "a variable must begin with a name"),
        ("{% if " + "(" * 101 + " %}", 0, "a tag has more than 100 '('"),
        ("x" * 262_145, 0, "the template has 262,145 characters; at most 262,144 are allowed"),
        ("{% if " + "a and " * 20_000 + "a %}{% endif %}", 0, "the template is nested too deeply"),
    ],
)
def test_a_mistake(template: str, offset: int, message: str) -> None:
    with pytest.raises(LiquidError) as raised:
        compile_liquid(template)
    assert (raised.value.message, raised.value.offset) == (message, offset)


@pytest.mark.parametrize(
    ("template", "chains"),
    [
        ("x", set()),
        ("{{ now }}", set()),
        ("{{ event.properties.a.b }}", {("event", "properties", "a", "b")}),
        ("{{ event['properties'][0].x }}", {("event", "properties")}),
        ("{{ event[person.name] }}", {("event",), ("person", "name")}),
        ("{% assign p = person %}{{ p.properties.x }}", {("person",)}),
        ("{% for person in groups %}{{ person.id }}{% endfor %}", {("groups",)}),
        ("{% if inputs.a %}{% endif %}{{ 1 | plus: secrets.B }}", {("inputs", "a"), ("secrets", "B")}),
        ("{% for i in (1..event.properties.n) limit: inputs.n %}{% endfor %}",
         {("event", "properties", "n"), ("inputs", "n")}),
        ("{% case event.url %}{% when person.url %}{% endcase %}{% cycle event.event %}",
         {("event", "url"), ("person", "url"), ("event", "event")}),
    ],
)  # fmt: skip
def test_what_it_reads(template: str, chains: set[tuple[str, ...]]) -> None:
    assert compile_liquid(template).chains == chains


def test_what_it_reads_is_what_is_built() -> None:
    program = compile_liquid("{% assign e = event %}{{ e.url }}{{ person.name }}")
    every_part_of_the_event = {"event.properties", "event.elements_chain", "event.url"}
    assert invocation_needs(program.chains) == {*every_part_of_the_event, "person.name"}


TEXT = "x" * 1_000_000
SLOW = "it takes longer than 100 ms"
LARGE = "a value is larger than 2,097,152 characters"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for i in (1..10000) %}{% for j in (1..10000) %}{% endfor %}{% endfor %}", SLOW),
        ("{% tablerow i in (1..10000) %}{% for j in (1..10000) %}{% endfor %}{% endtablerow %}", SLOW),
        ("{% for i in (1..10000) %}{% assign a = t | upcase %}{% endfor %}", SLOW),
        ("{{ t " + "| upcase " * 3_000 + "}}", SLOW),
        ("{% for i in (1..10001) %}{% endfor %}", "a range is longer than 10,000"),
        ("{% assign r = (1..9999999999) %}{% if r contains 'x' %}{% endif %}", "a range is longer than 10,000"),
        ("{{ 1 | append: 2 | concat: (1..99999) }}", "a range is longer than 10,000"),
        ("{% assign a = t %}" + "{% assign a = a | append: a %}" * 40, LARGE),
        ("{% assign a = 'a,b' | split: ',' %}" + "{% assign a = a | concat: a %}" * 40, LARGE),
        ("{{ t | replace: 'x', t }}", LARGE),
        ("{{ 'a,b,c,d' | split: ',' | join: t }}", LARGE),
        ("{{ t | split: '' }}", LARGE),
        ("{% assign a = 9999999999 %}" + "{% assign a = a | times: a %}" * 40, "a whole number has too many digits"),
        ("{% for i in (1..10000) %}{{ t }}{% endfor %}", "output stream limit reached"),
        ("{{ 3 | modulo: 0 }}", "modulo: can't divide by 0"),
    ],
)  # fmt: skip
def test_no_template_holds_the_worker(template: str, message: str) -> None:
    program = compile_liquid(template)
    started = time.perf_counter()
    with pytest.raises(LiquidError) as raised:
        program({"t": TEXT})
    assert raised.value.message == f"{message} (line 1)"
    assert time.perf_counter() - started < 2.0


@pytest.mark.parametrize("name", sorted(ENGINE.filters))
def test_every_filter_is_short_whatever_it_is_given(name: str) -> None:
    values = [TEXT, "<" * 500_000, "<script>" * 60_000, "a \n" * 300_000, "9" * 4_000, "%41" * 300_000, -1, 1e308,
              None, True, {"a": TEXT}, [[[]]], [{"a": 1}] * 20_000, list(range(20_000)), GLOBALS]  # fmt: skip
    for arguments in ("", ": v", ": v, v", ": 1", ": 'a', 'b'", ": 1000000000, v"):
        program = compile_liquid(f"{{{{ v | {name}{arguments} }}}}")
        for value in values:
            started = time.perf_counter()
            with contextlib.suppress(LiquidError):
                program({"v": value})
            assert time.perf_counter() - started < 2.0


class Busy(dict[str, Any]):
    """The machine does something else while a value is read."""

    def __getitem__(self, key: str) -> Any:
        time.sleep(0.15)
        return super().__getitem__(key)


def test_time_in_which_the_process_does_not_run_is_not_counted() -> None:
    assert compile_liquid("{{ v.name }}{{ v.name }}")({"v": Busy(name="Ada")}) == "AdaAda"


@given(st.text(alphabet="{}%ab |:.'\"&lt;()-rawifendor123[]<>\n", max_size=60))
def test_any_text_is_compiled_or_one_clear_error(text: str) -> None:
    with contextlib.suppress(LiquidError):
        compile_liquid(text)(GLOBALS)


@given(st.text(max_size=40))
def test_nothing_leaves_an_event_unescaped(value: str) -> None:
    program = compile_liquid("{{ v }}{{ v | upcase }}{% cycle v %}{% echo v %}{% assign a = v | append: v %}{{ a }}")
    text = program({"v": value})
    assert not set(text) & set("<>\"'")


def mail(html: str, others: str = "") -> str:
    schema = "inputs_schema: {mail: {type: email, templating: liquid}, name: {type: string, templating: liquid}}"
    return (
        f"{schema}\ninputs:\n  name: 'x'\n  mail:\n    from: a@b.c\n    to: '{{{{ event.distinct_id }}}}'\n"
        f"    subject: s\n    html: |\n      <p>\n      {html}{others}\ncode: print(1)"
    )


def test_an_email(load_one: LoadOne) -> None:
    work = load_one(mail("{{ person.name }} {{ inputs.name }}")).render(view(person={"name": "<Anna>"}))
    assert isinstance(work, Code)
    assert work.inputs["mail"]["html"] == "<p>\n&lt;Anna&gt; x\n"
    assert work.inputs["mail"]["to"] == "anna@example.com"


@pytest.mark.parametrize(
    ("html", "column", "message"),
    [
        ("{{ event.event | upcse }}", 24, "unknown filter 'upcse'; did you mean 'upcase'?"),
        ("{{ persn.name }}", 10, "unknown name 'persn'; did you mean 'person'?"),
        ("{{ properties.x }}", 10, "templates see the event as `event`: write `event.properties.x`"),
        ("{{ secrets.NOPE }}", 10,
         "secret 'NOPE' is not set: set the environment variable NOPE or mount a file of that name"),
        ("{{ secrets }}", 10, "a secret needs its name: write `secrets.NAME`"),
        ("{{ 1 &lt; &gt; }}{{ inputs.nme }}", 27, "unknown input 'nme'; did you mean 'name'?"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_in_the_file(load_files: LoadFiles, html: str, column: int, message: str) -> None:
    text = f"id: crm\n{mail(html)}"
    (problem,) = load_files(crm=text.replace("&lt; &gt;", "| plus: 2 &#32;")).problems
    assert problem.path == "inputs.mail.html"
    assert problem.message == message
    assert problem.line == 11
    if "&" not in html:
        assert problem.column == column


def test_an_event_that_does_not_fit_says_where(load_one: LoadOne) -> None:
    destination = load_one(mail("{{ 1 | divided_by: event.properties.n }}"))
    with pytest.raises(InputError) as raised:
        destination.render(view({"n": 0}))
    assert str(raised.value) == "input 'mail.html': divided_by: can't divide by 0 (line 2)"


@pytest.mark.parametrize(
    ("schema", "written", "problem"),
    [
        ("type: number, templating: liquid", "'{{ 5 }}'", "expected a number, got text"),
        ("type: dictionary, templating: liquid", "'{{ event }}'", "expected a mapping, got text"),
        ("type: url, templating: liquid", "'https://a.b'",
         "a `url` is written in Hog, which percent-encodes what is put in; Liquid does not"),
        ("type: url", "{value: 'https://a.b', templating: liquid}",
         "a `url` is written in Hog, which percent-encodes what is put in; Liquid does not"),
        ("type: string, templating: liquid, secret: true", "\"{{ 'hunter2' }}\"",
         "a secret must not stand in the file, which others read: write '{secrets.NAME}'"),
        ("type: string", "{value: '{{ x', templating: liquid}", "'{{' is not closed: '}}' is missing"),
    ],
)  # fmt: skip
def test_where_liquid_does_not_fit(load_files: LoadFiles, schema: str, written: str, problem: str) -> None:
    loaded = load_files(crm=f"id: crm\ninputs_schema: {{x: {{{schema}}}}}\ninputs: {{x: {written}}}\ncode: print(1)")
    assert [found.message for found in loaded.problems] == [problem]


def test_a_choice_in_liquid_is_checked_for_each_event(load_one: LoadOne) -> None:
    schema = "x: {type: choice, choices: [{value: low}], templating: liquid}"
    destination = load_one(f"inputs_schema: {{{schema}}}\ninputs: {{x: '{{{{ event.event }}}}'}}\ncode: print(1)")
    assert isinstance(destination.render(view(name="low")), Code)
    with pytest.raises(InputError, match="input 'x': expected one of 'low'; got 'high'"):
        destination.render(view(name="high"))


def test_a_secret_in_liquid_is_masked(load_one: LoadOne) -> None:
    schema = "inputs_schema: {x: {type: string, secret: true, templating: liquid}}"
    destination = load_one(f"{schema}\ninputs: {{x: '{{{{ secrets.TOKEN | upcase }}}}'}}\ncode: print(1)")
    assert destination.redact("a S3CR3T/VALUE b") == "a *** b"


def test_the_webhook_template_takes_liquid_for_one_value(load_one: LoadOne) -> None:
    body = "{value: {html: '<b>{{ event.event }}</b>', n: 1}, templating: liquid}"
    request = load_one(f"inputs: {{url: 'https://a.b', body: {body}}}").render(view(name="<x>"))
    assert not isinstance(request, Code)
    assert request.body == b'{"html":"<b>&lt;x&gt;</b>","n":1}'
