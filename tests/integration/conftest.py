from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stand import Stand
from tests.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def stand(tmp_path: Path, receiver: Receiver) -> Iterator[Stand]:
    stand = Stand(tmp_path, receiver)
    try:
        yield stand
    finally:
        stand.close()
