"""Starts create_backup from an unpacked package with each of many records, in processes forked from this one.

Arguments: the folder of the package, a folder with the records, the folder of `context.py`. Standard input has the
connection to a local cloud, and the names of modules to import before (those of libraries, so that a start is quick).
For each record, one line on standard output has its name, the exit status, the report and the lines that were logged.
"""

import gc
import importlib
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any


def start(root: Path, connection: dict[str, Any]) -> Any:
    """Load the function and handle an event, the same one each time. Return the report."""
    spec = importlib.util.spec_from_file_location("index", root / "index.py")
    assert spec
    assert spec.loader
    index = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(index)
    from context import Context  # type: ignore[import-not-found]  # in the third argument

    context = Context(connection)
    index.initializer(context)
    return index.handler({"instance_ids": connection["instance_ids"][:1], "idempotency_key": "the same"}, context)


def forked(root: Path, connection: dict[str, Any]) -> dict[str, Any]:
    """Start the function in a child. Return its exit status (0 if it handled the event), report and output."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as answer:
        child = os.fork()
        if not child:
            status = 1
            try:
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                json.dump(start(root, connection), answer)
                answer.flush()
                status = 0
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        answer.seek(0)
        said = answer.read()
        return {"status": status, "report": json.loads(said) if said else None, "output": output.read().splitlines()}


def main() -> None:
    root, records, context = map(Path, sys.argv[1:])
    sys.path[:0] = [str(root), str(context)]
    job = json.load(sys.stdin)
    for name in job["modules"]:
        importlib.import_module(name)
    gc.freeze()  # so that children share this memory
    (target,) = root.glob("shared/runtime/cold_start.*.bin")
    for record in sorted(records.iterdir()):
        target.write_bytes(record.read_bytes())
        print(json.dumps({"name": record.name, **forked(root, job["connection"])}), flush=True)  # noqa: T201 the answer


main()
