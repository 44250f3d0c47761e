"""What PostHog has and Offramp has not, each with why a function of it cannot be carried over."""

from collections.abc import Mapping
from typing import Any, Final

_IN_BROWSER: Final = "it runs in the visitor's browser, within PostHog's own library"

TYPES: Final[Mapping[str, str]] = {
    "site_destination": _IN_BROWSER,
    "site_app": _IN_BROWSER,
    "transformation": "it changes events before PostHog stores them; here they are stored already",
    "internal_destination": "it is triggered by events that stay inside PostHog (alerts, activity, error tracking)",
    "source_webhook": "it takes requests in; destinations send them",
    "warehouse_source_webhook": "it takes requests in; destinations send them",
    "email": "it is a part of PostHog's messages",
    "sms": "it is a part of PostHog's messages",
    "push": "it is a part of PostHog's messages",
    "activity": "it is triggered by events that stay inside PostHog",
    "alert": "it is triggered by events that stay inside PostHog",
    "broadcast": "it is sent to a list of persons, not for an event",
}
"""By `type`; `destination` is the only other one that there is."""

TEMPLATES: Final[Mapping[str, str]] = {
    "plugin-": "it is an old plugin, whose JavaScript is a part of PostHog",
    "segment-": "what it does is JavaScript of Segment's, which the answer does not have",
    "native-": "what it does is JavaScript of PostHog's, which the answer does not have",
    "batch-export": "it is a batch export",
    "coming-soon-": "PostHog has not made that template yet",
}
"""By how the template's id begins."""


def why_not(function: Mapping[str, Any], template_id: str) -> str:
    """Why a whole function cannot be carried over; empty where it may be."""
    kind = str(function.get("type") or "destination")
    if kind in TYPES:
        return f"it is of type '{kind}': {TYPES[kind]}"
    if kind != "destination":
        return f"it is of type '{kind}', which is not known here; only 'destination' is"
    if function.get("deleted"):
        return "it is deleted"
    if function.get("batch_export_id"):
        return TEMPLATES["batch-export"]
    return next((why for prefix, why in TEMPLATES.items() if template_id.startswith(prefix)), "")
