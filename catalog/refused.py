"""Types of inputs that exist in PostHog and not here, each with what to write instead."""

from collections.abc import Mapping

_TOKEN = "log in at the vendor's own site, and write a `string` with `secret: true` for the token it gives"
_OWN = "it stands for something inside PostHog"

REFUSED: Mapping[str, str] = {
    "integration": _TOKEN,
    "integration_multi": _TOKEN,
    "integration_field": "it chooses from what an integration has; write a `string`",
    "native_email": "it goes through PostHog's own mail service; write an `email`, and send it to a mail API",
    "push_subscription": "it goes through PostHog's own push service",
    "non_failure_status_codes": "write `delivery: {success: [2xx, 404]}` in the destination file",
    "posthog_assignee": _OWN,
    "posthog_ticket_tags": _OWN,
    "posthog_business_hours": _OWN,
    "customer_analytics_account_properties": _OWN,
    "customer_analytics_account_relationships": _OWN,
    "task_model": _OWN,
    "task_repository": _OWN,
    "task_mcp_installations": _OWN,
    "task_skills": _OWN,
    "signals_scout": _OWN,
}
