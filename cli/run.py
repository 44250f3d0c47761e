"""`offramp run`: starts the job."""

import typer

from cli.options import takes_settings
from cli.output import fail
from flows import log_lines
from flows.settings import from_process
from flows.settings_table import CONSOLE, TABLE
from flows.signals import Signals

HELP = """Deliver events to the destinations that want them.

Every option can also be a variable (--until-end is OFFRAMP_UNTIL_END) or a key of offramp.yaml (until_end); flags win
over variables, variables over the file. Only the settings of the Kafka client have no option, because everybody on the
machine can read a command line: OFFRAMP_KAFKA_SASL_USERNAME is sasl.username.
"""

EPILOG = """Try it on a file:  offramp run --events events.jsonl --until-end

Then on Kafka:  offramp run --events kafka://localhost:9092/clickhouse_events_json

While it runs:  offramp status, offramp logs ID --follow
"""


@takes_settings(row for row in TABLE if row.section != CONSOLE)
def run(**flags: object) -> None:
    """Reads the settings, then runs the job until it has ended."""
    settings = from_process(flags)
    log_lines.configure(settings.log)
    with Signals() as signals:
        # The engine and the clients take a while to import; --help and a mistake in the settings should not wait for
        # them.
        from flows.run import run as run_job

        try:
            code = run_job(settings, signals)
        except ValueError as error:
            # By its contract: something that the settings name cannot be had, such as a topic.
            fail(f"offramp run: {error}", 2)
    raise typer.Exit(code)
