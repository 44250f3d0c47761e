"""Who visits the demo's shop and what it sells. All of them are invented; addresses end in `.example`."""

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

_FIRST_NAMES = (
    "Ada",
    "Amal",
    "Björn",
    "Chiara",
    "Diego",
    "Eszter",
    "Fatou",
    "Greta",
    "Hana",
    "Ines",
    "Jonas",
    "Kofi",
    "Lena",
    "Mateo",
    "Noor",
    "Olu",
)
_LAST_NAMES = (
    "Abebe",
    "Berg",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ito",
    "Jensen",
    "Kowalski",
    "Moreau",
    "Novák",
)
_BROWSERS = (
    {"$browser": "Chrome", "$os": "Windows", "$device_type": "Desktop"},
    {"$browser": "Chrome", "$os": "Android", "$device_type": "Mobile"},
    {"$browser": "Safari", "$os": "Mac OS X", "$device_type": "Desktop"},
    {"$browser": "Mobile Safari", "$os": "iOS", "$device_type": "Mobile"},
    {"$browser": "Firefox", "$os": "Linux", "$device_type": "Desktop"},
)
CAMPAIGNS: dict[str, dict[str, str]] = {
    "": {},
    "letter": {"utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "week 47"},
    "search": {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "winter tents"},
    "social": {"utm_source": "meta", "utm_medium": "cpc", "utm_campaign": "first snow & more"},
}
_CAMPAIGN_WEIGHTS = (50, 20, 20, 10)


@dataclass(frozen=True)
class Product:
    """One thing on sale."""

    name: str
    category: str
    price: float

    @property
    def properties(self) -> dict[str, Any]:
        """As events carry it."""
        return {"product": self.name, "category": self.category, "price": self.price, "currency": "EUR"}


PRODUCTS = (
    Product("Two-person tent", "tents", 329.0),
    Product("Four-person tent", "tents", 549.0),
    Product("Hiking boots", "shoes", 219.0),
    Product("Wool socks, 3 pairs", "shoes", 24.5),
    Product("Gas stove", "kitchen", 64.9),
    Product("Titanium pot, 1 l", "kitchen", 39.5),
    Product("Headlamp", "light", 49.0),
)


@dataclass
class Customer:
    """Somebody with an account."""

    id: str
    distinct_id: str
    name: str
    email: str
    created_at: str
    plan: str = "free"
    version: int = -1
    """Of the last person message; each message is one higher."""

    @classmethod
    def number(cls, number: int, chance: random.Random, created_at: str) -> Self:
        """The customer with this number."""
        first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
        email = f"{first}.{number}@mail.example".lower()
        return cls(random_uuid(chance), f"user_{number}", f"{first} {last}", email, created_at)

    @property
    def properties(self) -> dict[str, str]:
        """The person's properties."""
        return {"email": self.email, "name": self.name, "plan": self.plan}

    def change_email(self) -> None:
        """Move to the other one of two mail providers."""
        name, host = self.email.split("@")
        self.email = f"{name}@{'post.example' if host == 'mail.example' else 'mail.example'}"


@dataclass
class Visitor:
    """One visit by one browser, by a customer or by somebody unknown."""

    anonymous_id: str
    browser: dict[str, str]
    campaign: str
    click_id: str
    customer: Customer | None = None
    product: Product | None = None
    to_identify: bool = False
    leaving: bool = False

    @property
    def distinct_id(self) -> str:
        """The account's id where there is one, else the browser's."""
        return self.customer.distinct_id if self.customer is not None else self.anonymous_id


def new_visitor(chance: random.Random) -> Visitor:
    """Somebody unknown who has just arrived."""
    campaign = chance.choices(list(CAMPAIGNS), _CAMPAIGN_WEIGHTS)[0]
    return Visitor(random_uuid(chance), chance.choice(_BROWSERS), campaign, f"{chance.getrandbits(64):016x}")


def iso_time(ms: int) -> str:
    """ISO 8601 as the browser's SDK writes it."""
    return _moment(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clickhouse_time(ms: int) -> str:
    """ClickHouse's text, UTC without a zone."""
    return _moment(ms).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def random_uuid(chance: random.Random) -> str:
    """Random, but the same for the same seed."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
