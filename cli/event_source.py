"""Where the event of an invocation comes from: a file, standard input, or a sample."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli.errors import WrongCall
from cli.samples import sample_event
from localcloud.functiongraph.runtime.inside.handler import MAX_BODY_BYTES


def event_text(file: str | None, trigger: str | None, changes: Sequence[str]) -> str:
    """Return the event as JSON text: the content of *file*, or the sample event of *trigger* with *changes*.

    Raises UsageError unless exactly one of the two is given, and WrongCall for an event that cannot be sent.
    """
    if file is not None and trigger is None:
        if changes:
            raise click.UsageError("--set changes a sample event (-t TRIGGER), not the event of -e")
        return _read(file)
    if trigger is not None and file is None:
        return json.dumps(sample_event(trigger, changes))
    raise click.UsageError("give either an event (-e FILE, -e - for standard input) or a trigger (-t TRIGGER)")


def _read(file: str) -> str:
    name = "standard input" if file == "-" else file
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
        json.loads(text)
    except OSError as error:
        raise WrongCall(f"cannot read the event {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{name} is no UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        found = f"{error.msg} at line {error.lineno}, column {error.colno}" if text.strip() else "it is empty"
        raise WrongCall(f"{name} is no JSON event: {found}") from error
    except RecursionError as error:
        raise WrongCall(f"{name} is no JSON event: it is nested too deeply") from error
    if len(data) > MAX_BODY_BYTES:
        raise WrongCall(f"{name} has {len(data)} bytes, expected an event of at most {MAX_BODY_BYTES} (6 MB)")
    return text
