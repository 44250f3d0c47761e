"""Changes of destinations by people: drafts become files, each change is a version, secrets go into the store.

Blocks: call it from a thread. Errors: DraftError, whose text is for the person.
"""

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from catalog import Catalog, Template
from connectors.config_history import ConfigHistory, ConflictError, RefusedError, UnknownVersionError, Version
from connectors.destination_file import BadIdError, DestinationFileError
from connectors.secret_store import BadSecretError, SecretStore, SecretStoreError, StoredSecret
from connectors.state_file import StateFileError
from destinations import Destination, Secrets
from destinations.file_text import file_text
from destinations.literal_secrets import without_lines
from destinations.loading import compile_bytes, project_of
from destinations.posthog.names import secret_name
from destinations.spec import ID
from destinations.starter import starter
from flows.settings import Settings

T = TypeVar("T")


class Why(StrEnum):
    """What keeps somebody from doing what they want."""

    REFUSED = "refused"
    """It is wrong by itself."""
    CONFLICT = "conflict"
    """Somebody else has been faster."""
    TAKEN = "taken"
    """It does not go with what there is."""
    UNKNOWN = "unknown"
    """There is no such thing."""
    UNUSABLE = "unusable"
    """A file or a directory cannot be used."""


class DraftError(Exception):
    """What somebody wants cannot be done; the text says why, `problems` where a file has any. No secret is in it."""

    def __init__(
        self, message: str, problems: tuple[str, ...] = (), current: int | None = None, why: Why = Why.REFUSED
    ) -> None:
        """`current` is the present version where somebody else has been faster."""
        super().__init__(message)
        self.problems = problems
        self.current = current
        self.why = why


class Draft(msgspec.Struct, frozen=True):
    """A destination as it was filled in."""

    id: str
    name: str
    template: Template
    filters: dict[str, Any]
    inputs: dict[str, Any]
    secrets: dict[str, str]
    """By input: what must not stand in the file."""

    def __repr__(self) -> str:
        """Without what was filled in."""
        return f"Draft({self.id!r})"


class Drafts:
    """What people make and change."""

    def __init__(self, settings: Settings, catalog: Catalog, secrets: Secrets) -> None:
        """Opens nothing yet. `secrets` are those that a file may name to be taken for complete."""
        self._settings = settings
        self._catalog = catalog
        self._making = threading.Lock()
        self._history = ConfigHistory(settings.destinations, settings.state, secrets, catalog)

    def wanting(self, filters: Mapping[str, Any]) -> Destination:
        """A destination of nothing but a filter, to be asked what it wants. Raises DraftError."""
        project = project_of(self._settings.destinations)
        text = file_text({"id": "draft", "filters": dict(filters), "inputs": {"url": "https://example.com"}})
        found = compile_bytes(Path("draft.yaml"), text.encode(), Secrets(lambda _: None), self._catalog, project)
        if found.destination is None:
            raise DraftError(_WOULD_NOT_LOAD, tuple(problem.message for problem in found.problems))
        return found.destination

    def create(self, draft: Draft, author: str, *, replace_secrets: bool = False) -> Version:
        """Write the file of a new destination, and its secrets before it; neither where the file would not load.

        Its secrets have names of their own. Where one of such a name is stored already it may be another destination's:
        it is only replaced with `replace_secrets`.
        """
        if not ID.fullmatch(draft.id):
            raise DraftError("An id is of a-z, 0-9 and hyphens.")
        with self._making:
            return self._create(draft, author, replace_secrets)

    def _create(self, draft: Draft, author: str, replace_secrets: bool) -> Version:
        current = self.current(draft.id)
        if current is not None and current.text is not None:
            raise DraftError(f"There is a destination '{draft.id}' already.", why=Why.TAKEN)
        spec, inputs = draft.template.spec, dict(draft.inputs)
        for key in (*draft.inputs, *draft.secrets):
            if key not in spec.inputs:
                raise DraftError(f"The template has no input '{key}'.")
        for key, one in spec.inputs.items():
            if one.secret and one.required and key not in draft.secrets and key not in inputs:
                raise DraftError(f"'{one.label or key}' is missing.")
        named = {secret_name(draft.id, key): value for key, value in draft.secrets.items()}
        inputs |= {key: f"{{secrets.{secret_name(draft.id, key)}}}" for key in draft.secrets}
        # In the template's order, in which people know them.
        inputs = {key: inputs[key] for key in spec.inputs if key in inputs}
        values = starter(draft.template, draft.id, inputs) | {"name": draft.name or spec.name}
        values.pop("filters", None)
        if draft.filters:
            values["filters"] = draft.filters
        text = file_text(values)
        if problems := self.problems(draft.id, text):
            raise DraftError(_WOULD_NOT_LOAD, problems)
        self._set_own(named, author, replace_secrets)
        return self.save(draft.id, text, author, "made from a template", 0 if current is None else current.number)

    def _set_own(self, named: Mapping[str, str], author: str, replace: bool) -> None:
        stored = {one.name for one in self.secrets()} if named else set()
        if not replace and (taken := sorted(stored & named.keys())):
            raise DraftError(
                f"The secret '{taken[0]}' is stored already; take another id, or let an operator make it.",
                why=Why.TAKEN,
            )
        for name, value in named.items():
            self.set_secret(name, value, author)

    def current(self, id: str) -> Version | None:
        """The version of now."""
        return self._told(lambda: self._history.current(id))

    def versions(self, id: str) -> list[Version]:
        """All of them, the newest first."""
        return self._told(lambda: self._history.versions(id))

    def version(self, id: str, number: int) -> Version:
        """One of them."""
        return self._told(lambda: self._history.version(id, number))

    def diff(self, id: str, before: int, after: int) -> str:
        """What turns one version into another one; 0 is before the first."""
        return self._told(lambda: self._history.diff(id, before, after))

    def problems(self, id: str, text: str) -> tuple[str, ...]:
        """What would be wrong with this text."""
        return tuple(map(str, without_lines(self._told(lambda: self._history.problems(id, text)))))

    def save(self, id: str, text: str, author: str, note: str, expected: int) -> Version:
        """Make it the file's text, if the version of now is the expected one; 0 is none."""
        return self._told(lambda: self._history.save(id, text, author, note, expected_version=expected))

    def delete(self, id: str, author: str, note: str, expected: int) -> Version:
        """Delete the file; what it still owes is given up."""
        return self._told(lambda: self._history.delete(id, author, note, expected_version=expected))

    def roll_back(self, id: str, number: int, author: str, note: str = "", expected: int | None = None) -> Version:
        """Make a former text the present one; whatever there is now is replaced, unless one is expected."""
        return self._told(lambda: self._history.roll_back(id, number, author, note, expected_version=expected))

    def set_secret(self, name: str, value: str, author: str) -> None:
        """Store a secret; nobody sees it again."""
        self._stored(lambda store: store.set(name, value, author))

    def delete_secret(self, name: str) -> bool:
        """Whether there was one."""
        return self._stored(lambda store: store.delete(name))

    def secrets(self) -> list[StoredSecret]:
        """The names of what is stored, since when and by whom."""
        return self._stored(lambda store: store.listed())

    def _stored(self, do: Callable[[SecretStore], T]) -> T:
        def opened() -> T:
            with SecretStore(self._settings.state, self._settings.secrets_key) as store:
                return do(store)

        return self._told(opened)

    def _told(self, do: Callable[[], T]) -> T:
        try:
            return do()
        except RefusedError as error:
            raise DraftError(_WOULD_NOT_LOAD, tuple(map(str, without_lines(error.problems)))) from None
        except ConflictError as error:
            current = 0 if error.current is None else error.current.number
            raise DraftError(str(error), current=current, why=Why.CONFLICT) from None
        except UnknownVersionError as error:
            raise DraftError(str(error), why=Why.UNKNOWN) from None
        except (BadIdError, BadSecretError) as error:
            raise DraftError(str(error)) from None
        except SecretStoreError as error:
            raise DraftError(str(error), why=Why.TAKEN) from None
        except (DestinationFileError, StateFileError) as error:
            raise DraftError(str(error), why=Why.UNUSABLE) from None


_WOULD_NOT_LOAD: Final = "It is not written: the file would not load."
