"""The commands, and how their errors are reported."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from attention_zoo.cli import doctor, evaluate, explain, export, list_, migrate, show, train, tune
from attention_zoo.cli.console import Interrupted, complain
from attention_zoo.cli.quiet import hush
from attention_zoo.version import __version__

#: The status of a command that Ctrl-C ended.
_INTERRUPTED = 130

app = typer.Typer(
    name="attention-zoo",
    help="Attention layers, models and pretrained weights for Keras 3 that show where they look.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("list")(list_.list_)
app.command("show")(show.show)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.command("export")(export.export)
app.command("tune")(tune.tune)
app.command("migrate")(migrate.migrate)
app.command("doctor")(doctor.doctor)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Attention for Keras 3 that you can see, measure and trust."""


def main() -> None:
    """Run the command line: 0 for success, 2 and one line for bad input, 130 for Ctrl-C."""
    # TensorFlow's own variable, which hides its log lines
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    hush()
    command = typer.main.get_command(app)
    try:
        status = command.main(prog_name="attention-zoo", standalone_mode=False)
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except Interrupted as error:
        complain(str(error))
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output is gone, so that nothing more can be written
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # expected errors become one line
        sys.exit(_fail(error))
    if status == _INTERRUPTED:  # Typer makes this of a KeyboardInterrupt
        complain("Interrupted.")
    sys.exit(status if isinstance(status, int) else 0)


def _fail(error: Exception) -> int:
    if type(error).__name__ in ("Abort", "Exit"):
        return getattr(error, "exit_code", 130)
    format_message = getattr(error, "format_message", None)
    if type(error).__name__ == "NoArgsIsHelpError" and format_message:
        typer.echo(format_message(), err=True)
        return 2
    if format_message is not None:
        context = getattr(error, "ctx", None)
        words = context.command_path if context else "attention-zoo"
        complain(f"{format_message()} Try: {words} --help")
        return 2
    if missing := doctor.missing_backend(error):
        complain(missing)
        return 2
    expected = (ValueError, TypeError, OSError, ImportError)
    if isinstance(error, expected) or type(error).__module__.startswith("attention_zoo."):
        complain(str(error))
        return 2
    raise error
