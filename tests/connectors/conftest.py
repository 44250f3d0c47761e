"""What sends, and what listens, in the tests of the HTTP transport."""

from collections.abc import Iterator

import pytest

from connectors.http import HttpTransport
from tests.connectors.sending import running


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    """One that may reach loopback."""
    with running() as started:
        yield started
