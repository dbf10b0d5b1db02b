"""The environment variables of a function's process."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping

from cli.runner.context import PACKAGE, VERSION, millicores
from cli.runner.outcome import MAX_BODY_BYTES
from cli.template.model import Function


FROM_THE_MACHINE = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""All that a function sees of the command's environment: no proxy and no credential of the machine."""


def process_environment(
    function: Function, settings: Mapping[str, str], project_id: str, timeout: float
) -> dict[str, str]:
    """Return the user's *settings* and the platform's ``RUNTIME_*`` presets; *timeout* is in seconds."""
    machine = {name: os.environ[name] for name in FROM_THE_MACHINE if name in os.environ}
    presets = {
        "RUNTIME_PROJECT_ID": project_id,
        "RUNTIME_FUNC_NAME": function.name,
        "RUNTIME_FUNC_VERSION": VERSION,
        "RUNTIME_PACKAGE": PACKAGE,
        "RUNTIME_HANDLER": function.handler,
        "RUNTIME_TIMEOUT": f"{timeout:g}",
        "RUNTIME_USERDATA": json.dumps(dict(settings)),
        "RUNTIME_CPU": str(millicores(function.memory_size)),
        "RUNTIME_MEMORY": str(function.memory_size),
        "RUNTIME_MAX_RESP_BODY_SIZE": str(MAX_BODY_BYTES),
        "RUNTIME_ROOT": sys.prefix,
        "RUNTIME_CODE_ROOT": str(function.code_root),
        "RUNTIME_LOG_DIR": tempfile.gettempdir(),
    }
    if function.initializer:
        presets["RUNTIME_INITIALIZER_HANDLER"] = function.initializer
        presets["RUNTIME_INITIALIZER_TIMEOUT"] = str(function.initializer_timeout)
    return {**machine, **settings, **presets}
