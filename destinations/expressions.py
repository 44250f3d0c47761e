"""Compiles the Hog expressions of a destination file that see the event's row."""

import hog
from catalog.yaml_file import Steps
from destinations.names import IN_FILTER, explain_in_filter
from destinations.report import Report


def compile_row_expression(text: str, path: Steps, report: Report) -> hog.Program | None:
    """The expression at `path`; None where it cannot be compiled. What is wrong goes to the report."""
    try:
        program = hog.expression(text, names=IN_FILTER)
    except hog.HogError as error:
        report.of_hog(path, error)
        return None
    for chain in sorted(program.chains):
        # `event.properties.x`: a name that exists, read as what it is not.
        if message := explain_in_filter(chain):
            report.inside(path, text, max(text.find(".".join(chain)), 0), message)
    return program
