"""`offramp demo`: shows what Offramp does, on this machine alone."""

from typing import Annotated

import typer

SECONDS = typer.Option(min=1, metavar="N", help="End after N seconds of deliveries. Without it: until Ctrl-C.")


OUTAGE = typer.Option("--outage", help="Tell the story of an outage instead: about a minute.")


def demo(seconds: Annotated[float | None, SECONDS] = None, outage: Annotated[bool, OUTAGE] = False) -> None:
    """Watch events leave Kafka and arrive at three endpoints. Broker, shop and endpoints run on this machine.

    The exit code is 1 when nothing was delivered, or when the outage went otherwise than told.
    """
    # The broker and the live table take a while to import; --help should not wait for them.
    if outage:
        from flows.demo_outage import demo_outage

        raise typer.Exit(demo_outage())
    from flows.demo import demo as run_demo

    raise typer.Exit(run_demo(seconds))
