"""What is found out about one function while it is converted: what differs, what it needs, why it cannot be."""

from dataclasses import dataclass, field

from destinations.posthog.names import numbered, secret_name
from destinations.values import Chain


@dataclass
class Needs:
    """What the filters refer to, which has to be in project.yaml."""

    actions: dict[str, str] = field(default_factory=dict[str, str])
    """Names by id; the name is empty where the answer has none."""
    cohorts: dict[str, str] = field(default_factory=dict[str, str])
    test_accounts: bool = False


class Findings:
    """Of one function. Converters add to it."""

    def __init__(self, id: str) -> None:
        """`id` is the destination's, of which the names of secrets are made."""
        self.differences: list[str] = []
        self.reasons: list[str] = []
        """Why it cannot be carried over; empty where it can."""
        self.secrets: dict[str, str] = {}
        """Placeholders, by the names that have to be set."""
        self.needs = Needs()
        self.reads: frozenset[Chain] = frozenset()
        """Which globals its requests are made of."""
        self._id = id

    def differs(self, what: str) -> None:
        """Something will not be as it was."""
        if what not in self.differences:
            self.differences.append(what)

    def refuse(self, why: str) -> None:
        """It cannot be carried over; `why` is the end of a sentence."""
        if why not in self.reasons:
            self.reasons.append(why)

    def secret(self, *words: str, placeholder: str = "") -> str:
        """A name for a secret, made of the id and the words; of two that would be equal the later one is numbered."""
        name = numbered(secret_name(self._id, *words), "_", self.secrets)
        # Long enough for whatever a secret may have to be, such as a key to sign with.
        self.secrets[name] = placeholder or f"placeholder-of-{name.lower()}"
        return name
