"""The outside world, one system per file: Kafka, files, HTTP, the person table, the journal."""
