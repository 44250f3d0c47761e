from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stand import Stand
from tests.receiver import Receiver


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    # Its receiver gets nothing: the endpoints of these tests are processes of their own.
    with Receiver() as receiver:
        stand = Stand(tmp_path, receiver)
        try:
            yield stand
        finally:
            stand.close()
