"""Cohorts. Nothing here knows who is in one: a program has to be given the ids of those that somebody is in."""

from typing import Any

from hog.runtime import compare
from hog.runtime.errors import Thrown
from hog.runtime.values import ErrorValue
from hog.stdlib.arguments import walked
from hog.stdlib.arrays import values
from hog.stdlib.registry import function


@function(
    "inCohort",
    2,
    ("inCohort(2, [1, 2])", "true"),
    ("inCohort('2', [2])", "true"),
    ("inCohort(3, [])", "false"),
    exact=True,
)
def in_cohort(id_: Any, ids: Any) -> bool:
    """Whether the id equals (`==`) one of the ids; throws an Error where these are null."""
    return _is_member("inCohort", id_, ids)


@function("notInCohort", 2, ("notInCohort(2, [1, 2])", "false"), ("notInCohort(3, [1, 2])", "true"), exact=True)
def not_in_cohort(id_: Any, ids: Any) -> bool:
    """Whether the id equals none of the ids; throws an Error where these are null."""
    return not _is_member("notInCohort", id_, ids)


def _is_member(name: str, id_: Any, ids: Any) -> bool:
    if ids is None:
        message = f"{name}() requires cohort membership to be loaded for this evaluation"
        raise Thrown(ErrorValue("Error", message))
    return any(compare.equal(id_, other) for other in walked(values(ids)))
