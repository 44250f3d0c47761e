"""The steps of the flow, one verb per file. Thin: what decides something lives below, without the engine."""
