"""Which core a process runs on: what is measured gets one of its own, where there are two."""

import os


def pin(core: int) -> None:
    """Keep this process on the core of that number, from 0."""
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})
