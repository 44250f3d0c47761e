"""`offramp hog`: run, evaluate and try Hog, without a destination and without sending anything."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import fail

if TYPE_CHECKING:
    # The parser takes a while to import; the other commands, and --help, should not wait for it.
    from cli.hog_eval import Problem

app = typer.Typer(help="Try Hog: nothing is sent.", no_args_is_help=True, add_completion=False)

FILE = typer.Argument(metavar="FILE", help="A file with a Hog program; - for standard input.", show_default=False)
GLOBALS = typer.Option("--globals", metavar="FILE.json", help="A JSON object of globals.", show_default=False)


@app.command()
def run(file: Annotated[str, FILE], globals: Annotated[Path | None, GLOBALS] = None) -> None:
    """Run a program; show what it prints, then what it returns. The exit code is 1 when it comes to no result."""
    from cli.hog_eval import Case, evaluate
    from hog.runtime.text import nested_text

    source = sys.stdin.read() if file == "-" else _text(Path(file))
    done = evaluate(Case(source, globals=_globals(globals)), printed=typer.echo)
    if done.error is not None:
        fail(_shown(done.error, source, "<stdin>" if file == "-" else file), 1)
    if done.result is not None:
        typer.echo(nested_text(done.result))


@app.command("eval")
def eval_() -> None:
    """Evaluate JSON lines from standard input; one JSON line comes back for each.

    In: {"source": …, "kind": "program"|"expression"|"template", "globals": {…}, "fetch": [{"status": …, "body": …}]}.
    Out: {"result": …, "prints": […], "fetches": […], "error": null | {"phase", "type", "message", "line", "column"}}.
    """
    from cli.hog_eval import encoded, evaluate_line

    for line in sys.stdin.buffer:
        if line.isspace():
            continue
        sys.stdout.buffer.write(encoded(evaluate_line(line)) + b"\n")
        sys.stdout.buffer.flush()


@app.command()
def repl(globals: Annotated[Path | None, GLOBALS] = None) -> None:
    """Try expressions, one per line. `let x := …` keeps a value for the lines after it. Ctrl-D ends."""
    kept = _globals(globals)
    while True:
        try:
            line = input("hog> ")
        except (EOFError, KeyboardInterrupt):
            typer.echo()
            return
        if line.strip():
            _try(line, kept)


def _try(line: str, kept: dict[str, Any]) -> None:
    from cli.hog_eval import Case, evaluate
    from hog.runtime.text import nested_text

    name, assigned, value = line.partition(":=")
    name = name.strip().removeprefix("let ").strip()
    keeps = bool(assigned) and name.isidentifier()
    source = value.strip() if keeps else line
    done = evaluate(Case(source, "expression", kept), printed=typer.echo)
    if done.error is not None and done.error.phase == "parse" and not keeps:
        done = evaluate(Case(line, "program", kept), printed=typer.echo)
    if done.error is not None:
        typer.echo(_shown(done.error, source, "<line>"), err=True)
    elif keeps:
        kept[name] = done.result
    elif done.result is not None:
        typer.echo(nested_text(done.result))


def _shown(problem: "Problem", source: str, file: str) -> str:
    import hog

    caret = hog.HogError("", problem.line, problem.column, source).caret()
    message = problem.message if problem.phase != "runtime" else f"{problem.type}: {problem.message}"
    return f"{file} ({problem.line},{problem.column}): {message}\n{caret}"


def _globals(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    from hog import json_text

    try:
        value = json_text.loads(_text(file))
    except json_text.JsonError as error:
        fail(f"{file}: not JSON: {error}", 2)
    if not isinstance(value, dict):
        fail(f"{file}: expected a JSON object of globals", 2)
    return value


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        fail(f"{file}: {error.strerror}", 2)
    except UnicodeDecodeError:
        fail(f"{file}: not UTF-8 text", 2)
