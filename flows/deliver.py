"""The job: events off the log, to their destinations. Wiring only; start it by `offramp run` or

    python -m bytewax.run flows.deliver -s 1 -r .offramp/recovery

with the settings in `OFFRAMP_` variables or offramp.yaml. Read it beside the picture in the README. Both end with exit
code 1 when deliveries failed; only `offramp run` ends cleanly on SIGTERM and sums up what was done.
"""

import atexit
import os
import sys
from functools import partial

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from flows import log_lines
from flows.job import Job
from flows.settings import from_process
from operators.decode import decode
from operators.deliver import deliver
from operators.join_person import join_person
from operators.mask import mask
from operators.route import made_of_capped, route
from operators.screen import screen
from operators.settle import settle


def build(job: Job) -> Dataflow:
    """Wire the steps. Their ids are frozen: state is found by them."""
    flow = Dataflow("deliver")

    # Two lanes read the same log: what is new, and what a destination has missed.
    live = op.input("events", flow, job.events)
    missed = op.input("backlog", flow, job.backlog)
    messages = op.merge("lanes", live, missed)

    # Bytes become events, and only those that somebody may want go on. A message of a person is a change of them.
    decoded = decode("decode", messages, job.settings.project, job.persons)
    screened = screen("screen", decoded.events, job.destinations)

    # Each meets the person of this moment, then every destination decides for itself.
    joined = join_person("join_person", screened.events, job.join)
    routed = route("route", joined, job.destinations, job.progress)

    # Of those with a frequency cap only some go on.
    masked = mask("mask", routed.capped, partial(made_of_capped, job.destinations))

    # One outbox per destination; what became of each delivery is written down. People may say what is to be done.
    commands = op.input("commands", flow, job.commands)
    addressed = op.merge("addressed", commands, routed.invocations, masked.items)
    outcomes = deliver("deliver", addressed, job.delivery)
    settled = settle("settle", outcomes)
    op.output("journal", op.merge("records", settled, screened.reports, routed.reports, masked.reports), job.journal)
    op.output("dead_letters", decoded.dead_letters, job.journal)
    return flow


def flow() -> Dataflow:
    """The flow for `python -m bytewax.run flows.deliver`, settings from the environment, all around it started."""
    settings = from_process({})
    log_lines.configure(settings.log)
    job = Job(settings)
    job.start()
    # Nobody else tells the job of the end: without this the journal's last lines are lost.
    atexit.register(_end, job)
    return build(job)


def _end(job: Job) -> None:
    job.close()
    if job.failed:
        # The engine's command ends with 0, whatever the flow did, and behind its last line there is no other way to say
        # something else. Everything is closed by now; what this skips is only the interpreter's own tidying.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)
