"""Fetches what tests need and PyPI's pinned packages do not bring: `python -m tests.servers.fetch`, a line for each."""

import sys
from collections.abc import Callable
from pathlib import Path

from tests import kafka_broker
from tests.servers import clickhouse, search, synapse
from tests.servers.components import CACHE, MissingComponentError

WHAT: dict[str, Callable[[], Path]] = {
    f"Kafka {kafka_broker.VERSION}": kafka_broker.fetch,
    f"OpenSearch {search.OPENSEARCH.version}": search.OPENSEARCH.fetch,
    f"Elasticsearch {search.ELASTICSEARCH.version}": search.ELASTICSEARCH.fetch,
    "ClickHouse's engine": clickhouse.fetch,
    "Synapse": synapse.fetch,
}


def main() -> int:
    """0 when everything is there, 1 when something cannot be had."""
    missing = 0
    for name, fetch in WHAT.items():
        try:
            sys.stdout.write(f"{name}: {fetch().relative_to(CACHE.parent)}\n")
        except MissingComponentError as error:
            missing = 1
            sys.stderr.write(f"{error}\n")
        sys.stdout.flush()
    return missing


if __name__ == "__main__":
    sys.exit(main())
