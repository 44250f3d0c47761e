"""Who may use the console, and what for: accounts with roles, their passwords and tokens, and signed sessions.

Pure but for the clock of the sessions. Secrets are compared in constant time and shown nowhere.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Final

import msgspec
from itsdangerous import BadSignature, URLSafeTimedSerializer

SESSION_S: Final = 12 * 3600.0
_SCRYPT: Final = {"n": 2**14, "r": 8, "p": 1}
_LEAST_TOKEN: Final = 20


class AccessError(ValueError):
    """The accounts are not written as they have to be. Its text holds no secret."""


class Role(IntEnum):
    """Each may do what those before it may."""

    VIEWER = 1
    """Look: at states, counts, logs with the names of events, and files."""
    EDITOR = 2
    """Make and change destinations, try them out, and see events, which hold what is known of people. Whoever makes a
    destination enters its credentials; a file may then use every secret that there is, though nobody can read one."""
    OPERATOR = 3
    """Pause, enable, replay, delete destinations, and set or delete any secret."""


class Account(msgspec.Struct, frozen=True):
    """Somebody who may use the console."""

    name: str
    role: Role
    secret: str = ""
    """`scrypt:SALT:KEY` of a password, or a token as it is."""

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Account({self.name!r}, {self.role.name})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same."""
        return [("name", self.name)]


LOCAL: Final = Account("local", Role.OPERATOR)
"""Whoever is at this machine, where there are no accounts."""


class Access:
    """The accounts, and the sessions that this process has given out."""

    def __init__(self, accounts: Iterable[Account] = (), session_key: str = "") -> None:
        """Without accounts everybody is `LOCAL`. Without a key sessions end with the process."""
        self._accounts = {account.name: account for account in accounts}
        self._sessions = URLSafeTimedSerializer(session_key or secrets.token_urlsafe(32), salt="offramp console")

    @property
    def is_open(self) -> bool:
        """Whether nobody has to say who they are."""
        return not self._accounts

    def by_password(self, name: str, password: str) -> Account | None:
        """The account of this name, if that is its password. Takes some 50 ms, whoever it is."""
        account = self._accounts.get(name)
        known = account.secret if account is not None else ""
        matches = _is_password(password, known if known.startswith("scrypt:") else _NOBODY)
        return account if matches else None

    def by_token(self, token: str) -> Account | None:
        """The account with this token."""
        found = None
        for account in self._accounts.values():
            if not account.secret.startswith("scrypt:") and hmac.compare_digest(
                account.secret.encode(), token.encode()
            ):
                found = account
        return found

    def session(self, account: Account) -> str:
        """What a browser is given to come back with."""
        return self._sessions.dumps(account.name)

    def by_session(self, session: str) -> Account | None:
        """The account that a session was given to; None where it is over, or the account is gone."""
        try:
            name = self._sessions.loads(session, max_age=int(SESSION_S))
        except BadSignature:
            return None
        return self._accounts.get(name) if isinstance(name, str) else None


def read_accounts(text: str) -> list[Account]:
    """`NAME:ROLE:SECRET`, one a line or with commas between; raises AccessError, which shows no secret."""
    accounts: dict[str, Account] = {}
    for number, line in enumerate((each.strip() for each in text.replace(",", "\n").splitlines()), 1):
        if not line:
            continue
        name, _, rest = line.partition(":")
        role, _, secret = rest.partition(":")
        if not name or role.upper() not in Role.__members__ or not secret:
            roles = ", ".join(each.name.lower() for each in Role)
            raise AccessError(f"account {number}: expected NAME:ROLE:SECRET, where ROLE is one of {roles}")
        if name in accounts:
            raise AccessError(f"account {number}: there are two of the name '{name}'")
        if secret.startswith("scrypt:"):
            if _parsed(secret) is None:
                raise AccessError(f"account '{name}': the password is not as `offramp console-hash` writes it")
        elif len(secret) < _LEAST_TOKEN:
            raise AccessError(f"account '{name}': a token has at least {_LEAST_TOKEN} characters")
        accounts[name] = Account(name, Role[role.upper()], secret)
    return list(accounts.values())


def hashed(password: str) -> str:
    """What stands for a password in the accounts."""
    salt = os.urandom(16)
    return f"scrypt:{_text(salt)}:{_text(_key(password, salt))}"


def _is_password(password: str, stored: str) -> bool:
    parsed = _parsed(stored)
    return parsed is not None and hmac.compare_digest(_key(password, parsed[0]), parsed[1])


def _parsed(stored: str) -> tuple[bytes, bytes] | None:
    try:
        _, salt, key = stored.split(":")
        return base64.urlsafe_b64decode(salt), base64.urlsafe_b64decode(key)
    except ValueError:
        return None


def _key(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, dklen=32, **_SCRYPT)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


_NOBODY: Final = hashed(secrets.token_urlsafe(16))
