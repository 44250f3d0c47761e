"""What a policy holds that nobody may see: keys, credentials. Their text form, in a log or a traceback, is `***`."""

from typing import Any

import msgspec


class Hidden(msgspec.Struct, frozen=True):
    """Shows that it is there, and nothing of what it holds."""

    def __repr__(self) -> str:
        """The kind of thing it is."""
        return f"{type(self).__name__}(***)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich shows instead of the fields, also in a traceback with locals."""
        return [("hidden", "***")]


class SigningKeys(Hidden, frozen=True):
    """What requests are signed with: every key makes a signature of its own, so that one can be replaced."""

    keys: tuple[bytes, ...]


class Certificates(Hidden, frozen=True):
    """What a destination's TLS connections are made with. Each text is PEM itself, or the path of a file of it."""

    cert: str | None = None
    """The client's own certificate, with those that lead to its authority behind it."""
    key: str | None = None
    password: str | None = None
    """Of the key, where it is encrypted."""
    ca: str | None = None
    """The authorities that the server's certificate may be of, instead of the system's."""


class Assertion(Hidden, frozen=True):
    """What a service account signs to be given a token."""

    key: str
    """PEM of its private RSA key."""
    key_id: str
    claims: tuple[tuple[str, str], ...]
    """Those that stay the same."""


class Connection(Hidden, frozen=True):
    """Where access tokens come from, and how they are asked for."""

    name: str
    marker: str
    """Stands in rendered requests for the token."""
    token_url: str
    form: tuple[tuple[str, str], ...]
    basic: tuple[str, str] | None = None
    """Id and secret of the client, where they go into a header."""
    assertion: Assertion | None = None


class AwsKeys(Hidden, frozen=True):
    """What a request to AWS is signed with."""

    service: str
    """As its signatures name it, such as `kinesis`."""
    region: str
    access_key: str
    secret_key: str
    session_token: str | None = None


class Proxy(Hidden, frozen=True):
    """An HTTP proxy that requests go through."""

    host: str
    """A name or an address, as it was written; without the brackets of IPv6."""
    port: int
    authorization: str | None = None
    """The whole value of `Proxy-Authorization`."""

    @property
    def origin(self) -> str:
        """The part of its URL that may be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class StoreKeys(Hidden, frozen=True):
    """What stored secrets are sealed with: the first seals, all of them open."""

    keys: tuple[bytes, ...]
