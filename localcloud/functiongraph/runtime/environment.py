"""The environment variables of a function's process."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping

from localcloud.functiongraph.runtime.inside.context import VERSION, millicores
from localcloud.functiongraph.runtime.inside.outcome import MAX_BODY_BYTES
from localcloud.functiongraph.runtime.spec import FunctionSpec


FROM_THE_MACHINE = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""All that a function sees of the command's environment: no proxy and no credential of the machine."""


def process_environment(
    function: FunctionSpec, settings: Mapping[str, str], project_id: str, platform: Mapping[str, str]
) -> dict[str, str]:
    """Return what the *platform* sets, over it the user's *settings*, over those the ``RUNTIME_*`` presets."""
    machine = {name: os.environ[name] for name in FROM_THE_MACHINE if name in os.environ}
    presets = {
        "RUNTIME_PROJECT_ID": project_id,
        "RUNTIME_FUNC_NAME": function.name,
        "RUNTIME_FUNC_VERSION": VERSION,
        "RUNTIME_PACKAGE": function.package,
        "RUNTIME_HANDLER": function.handler,
        "RUNTIME_TIMEOUT": f"{function.timeout:g}",
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
        presets["RUNTIME_INITIALIZER_TIMEOUT"] = f"{function.initializer_timeout:g}"
    return {**machine, **platform, **settings, **presets}
