"""Which names exist in filters and in templates, and what to write instead where somebody mixes up the two.

Filters see the event's row, where `event` is the event's name; templates see the event as an object.
"""

import hog
from destinations.globals import FILTER_ROOTS, GROUP_ROOTS, TEMPLATE_ROOTS

_EVENT_FIELDS = frozenset(
    {"uuid", "event", "distinct_id", "properties", "elements_chain", "timestamp", "captured_at", "url"}
)


def explain_in_filter(chain: tuple[str, ...]) -> str | None:
    """What to write instead of `chain` in a filter; None if there is nothing to say."""
    root, *rest = chain
    if root == "event" and rest:
        instead = ".".join(rest) if rest[0] in FILTER_ROOTS else None
        hint = f": write `{instead}`" if instead else ""
        return f"filters see the event's row, where `event` is its name{hint}"
    if root == "groups":
        return "filters see groups by number: write `$group_0` for the key, `group_0.properties.x` for a property"
    if root in ("inputs", "secrets", "project", "source"):
        return f"filters do not see `{root}`: only templates do"
    return None


def explain_in_template(chain: tuple[str, ...]) -> str | None:
    """What to write instead of `chain` in a template; None if there is nothing to say."""
    root = chain[0]
    if root in _EVENT_FIELDS and root != "event":
        return f"templates see the event as `event`: write `event.{'.'.join(chain)}`"
    if root == "pdi":
        return "templates see the person as `person`: write `person.id`, `person.properties.x`"
    if root in GROUP_ROOTS:
        return "templates see groups by type: write `groups.TYPE.id`, `groups.TYPE.properties.x`"
    return None


def explain_in_code(chain: tuple[str, ...]) -> str | None:
    """What to write instead of `chain` in a destination's code; None if there is nothing to say."""
    if chain[0] in ("secrets", "connections"):
        return f"code does not see `{chain[0]}`: put the {chain[0][:-1]} into an input, and read `inputs.NAME`"
    return explain_in_template(chain)


def explain_in_answer(chain: tuple[str, ...]) -> str | None:
    """What to write instead of `chain` where an answer is judged; None if there is nothing to say."""
    if chain[0] in ("status", "body", "headers"):
        return f"write `response.{'.'.join(chain)}`"
    if chain[0] in TEMPLATE_ROOTS:
        return f"`{chain[0]}` is not seen here: only `response` is, which has `status`, `body` and `headers`"
    return None


def explain_in_setting(chain: tuple[str, ...]) -> str | None:
    """What to write instead of `chain` in a setting; None if there is nothing to say."""
    if chain[0] in TEMPLATE_ROOTS:
        return f"`{chain[0]}` differs from event to event, and this is read once for all: only `secrets` can stand here"
    return None


IN_FILTER = hog.Names(FILTER_ROOTS, explain_in_filter, place="in a filter")
IN_TEMPLATE = hog.Names(TEMPLATE_ROOTS, explain_in_template, place="in a template")
IN_CODE = hog.Names(
    TEMPLATE_ROOTS - {"secrets", "connections"},
    explain_in_code,
    ("fetch", "postHogCapture"),
    place="in a destination's code",
)
IN_REQUEST = hog.Names(IN_CODE.roots, explain_in_code, place="in a request.hog, which makes no requests itself")
IN_ANSWER = hog.Names({"response"}, explain_in_answer, place="in what is said of an answer")
IN_SETTING = hog.Names({"secrets"}, explain_in_setting, place="in a setting")
