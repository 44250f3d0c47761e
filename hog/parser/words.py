"""The words of the language. Most of them may also be names: `obj.if`, `let in := 1`."""

from typing import Final

RESERVED: Final = frozenset(
    {"catch", "finally", "fn", "fun", "let", "throw", "try", "while", "except", "intersect", "materialized", "within"}
)
"""Words that are never names."""
LITERALS: Final = frozenset({"null", "inf", "infinity", "nan"})
UNITS: Final = {unit.lower(): unit for unit in ("Second", "Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year")}
_OTHERS: Final = frozenset(
    [
        "and",
        "array",
        "as",
        "asc",
        "ascending",
        "between",
        "both",
        "by",
        "case",
        "cast",
        "cohort",
        "columns",
        "date",
        "desc",
        "descending",
        "distinct",
        "else",
        "end",
        "exclude",
        "false",
        "filter",
        "for",
        "from",
        "group",
        "if",
        "ignore",
        "ilike",
        "in",
        "interval",
        "is",
        "lambda",
        "leading",
        "like",
        "not",
        "nulls",
        "or",
        "order",
        "over",
        "replace",
        "return",
        "select",
        "substring",
        "then",
        "timestamp",
        "trailing",
        "trim",
        "true",
        "try_cast",
        "union",
        "when",
        "where",
        "with",
        "yyyy",
    ]
)
WORDS: Final = {word: word for word in (*RESERVED, *LITERALS, *UNITS, *_OTHERS)}
"""Every word that the parser asks for, by its lower case."""
NAMES: Final = frozenset({"name", *UNITS, *_OTHERS})
"""The kinds of tokens that can be names."""
