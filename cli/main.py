"""The command ``ddsbackup``."""

import io
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import click

from cli.backups.command import backups
from cli.cost.command import cost
from cli.demo.command import demo
from cli.deploy.command import deploy, destroy
from cli.doctor.command import doctor
from cli.event.command import event
from cli.explain.command import explain
from cli.init.command import init
from cli.invoke.command import invoke
from cli.package.command import package
from cli.permissions.command import permissions
from cli.preflight.command import validate
from cli.report.command import report
from cli.restore.command import restore
from cli.serve import serve
from cli.simulate.command import simulate
from cli.terraform.command import terraform
from cli.wait.command import wait


INTERRUPTED = 130
"""128 and the number of SIGINT, as a shell reports it."""


class Commands(click.Group):
    """The commands. Ctrl-C ends each of them with 130, where click would say "Aborted!" and end with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            pass
        except click.Abort as abort:  # click's prompts turn Ctrl-C and the end of the input into this
            if not isinstance(abort.__context__, KeyboardInterrupt):
                raise
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("dds-backup"), "-V", "--version", prog_name="ddsbackup")
@click.pass_context
def main(context: click.Context) -> None:
    """Deploy, run and test functions that back up Huawei Cloud DDS instances. A local cloud needs no account.

    Exit status: 0 for success, 1 for a failure or a no to a question, 2 for a wrong call, 130 for Ctrl-C.
    """
    context.with_resource(_sigterm_exits())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # do not fail on a terminal without UTF-8


@contextmanager
def _sigterm_exits() -> Iterator[None]:
    """Turn SIGTERM into SystemExit, so that running functions are stopped too."""
    earlier = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


for command in (
    demo,
    serve,
    event,
    explain,
    simulate,
    invoke,
    wait,
    backups,
    restore,
    report,
    init,
    validate,
    package,
    permissions,
    cost,
    terraform,
    deploy,
    destroy,
    doctor,
):
    main.add_command(command)
