"""`offramp demo`: shows what Offramp does, on this machine alone."""

from typing import Annotated

import typer

SECONDS = typer.Option(min=1, metavar="N", help="End after N seconds of deliveries. Without it: until Ctrl-C.")


def demo(seconds: Annotated[float | None, SECONDS] = None) -> None:
    """Watch events leave Kafka and arrive at three endpoints. Broker, shop and endpoints run on this machine.

    The exit code is 1 when nothing was delivered.
    """
    # The broker and the live table take a while to import; --help should not wait for them.
    from flows.demo import demo as run_demo

    raise typer.Exit(run_demo(seconds))
