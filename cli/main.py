"""The command ``ddsbackup``."""

import io
import sys
from importlib.metadata import version

import click

from cli.demo.command import demo
from cli.event import event
from cli.invoke import invoke
from cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("dds-backup"), prog_name="ddsbackup")
def main() -> None:
    """Back up Huawei Cloud DDS instances by events: try it on this machine, without an account.

    Exit status: 0 when all is well, 1 when it failed, 2 for a wrong call.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 is no reason to fail


for command in (demo, serve, event, invoke):
    main.add_command(command)
