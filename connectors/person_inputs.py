"""Where persons, distinct ids and groups are read from. Data only; turning a URI into these is the settings' job."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Role(StrEnum):
    """What the messages of an input are."""

    PERSONS = "persons"
    DISTINCT_IDS = "distinct_ids"
    GROUPS = "groups"


@dataclass(frozen=True)
class KafkaTopic:
    """A compacted topic. `config` holds further librdkafka settings (SASL, TLS, …), never printed: some are secrets."""

    role: Role
    servers: str
    topic: str
    config: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def stream(self) -> str:
        """The input's name in positions, logs and errors."""
        return f"kafka:{self.topic}"


@dataclass(frozen=True)
class JsonLines:
    """A file with one message per line, oldest first; it may grow while it is read."""

    role: Role
    path: Path

    @property
    def stream(self) -> str:
        """The input's name in positions, logs and errors."""
        return f"file:{self.path}"


Input = KafkaTopic | JsonLines
