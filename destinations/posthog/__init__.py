"""PostHog's function objects, as its API gives them, to destination files and back. It reads and writes no file."""

from destinations.posthog.answer import Answer, AnswerError, read_answer
from destinations.posthog.exported import exported
from destinations.posthog.findings import Needs
from destinations.posthog.function import Imported, import_functions
from destinations.posthog.project import lacking

__all__ = ["Answer", "AnswerError", "Imported", "Needs", "exported", "import_functions", "lacking", "read_answer"]
