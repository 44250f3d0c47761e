"""docs/import.md names every option of the command, and every type of function that is refused."""

import re
from pathlib import Path

from typer.main import get_command

from cli.main import app
from destinations.posthog.refused import TYPES

PAGE = (Path(__file__).parents[2] / "docs/import.md").read_text("utf-8")


def test_every_option_is_there():
    command = get_command(app).commands["import"].commands["posthog"]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    table = PAGE.split("| option | |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(--[\w-]+)", table)) == options - {"--secrets-dir", "--help"}


def test_every_refused_type_is_there():
    section = PAGE.split("## What is not carried over")[1].split("\n## ")[0]
    named = {name for row in section.splitlines() for name in re.findall(r"`(\w+)`", row.rsplit("|", 2)[0])}
    assert TYPES.keys() <= named
