"""What a topic's configuration says. It changes nothing."""

import logging
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

_log = logging.getLogger(__name__)

_CLIENT = ("bootstrap.servers", "client.id", "log_level")
_OF_CLIENT = ("sasl.", "ssl.", "security.", "socket.", "reconnect.", "broker.", "client.", "enable.ssl", "https.")


def retention_s(settings: Mapping[str, Any], topic: str, wait_s: float) -> float | None:
    """How long the topic keeps a message; None where nothing is deleted by age, or the broker does not tell."""
    # A consumer's own settings would be told of as unknown.
    of_client = {key: value for key, value in settings.items() if key in _CLIENT or key.startswith(_OF_CLIENT)}
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        # Named, for an answer does not come once its client is gone.
        client = AdminClient(of_client)
        answers = client.describe_configs([resource], request_timeout=wait_s)
        found = {name: entry.value for name, entry in answers[resource].result(wait_s + 1).items()}
        return _of(found)
    except (KafkaException, TimeoutError, ValueError, KeyError) as error:
        # Not every user may describe topics, and not every broker can.
        _log.debug("kafka:%s: its configuration is not known: %s", topic, error)
        return None


def _of(config: Mapping[str, str | None]) -> float | None:
    if "delete" not in (config.get("cleanup.policy") or "delete"):
        return None
    kept_ms = int(config["retention.ms"] or -1)
    return kept_ms / 1000 if kept_ms >= 0 else None
