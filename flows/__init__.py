"""Wiring: the job, its settings, and the demo."""
