"""A function is loaded as FunctionGraph loads it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localcloud.functiongraph.runtime.model import Credentials


Run = Callable[..., Any]
Make = Callable[..., Any]


def test_entry_module_is_not_registered(run: Run) -> None:
    """The entry module is not in sys.modules, as on the platform."""
    invocation = run(
        """
        import sys

        def handler(event, context):
            return [__name__, "index" in sys.modules]
        """
    )
    assert invocation.result == ["index", False]


def test_shared_packages_come_from_the_code_root(run: Run, make_function: Make) -> None:
    """Modules next to the template and next to the entry file can be imported."""
    root = make_function("").code_root
    (root / "shared").mkdir()
    (root / "shared" / "__init__.py").write_text("")
    (root / "shared" / "answer.py").write_text("ANSWER = 42\n")
    (root / "functions" / "sample" / "helper.py").write_text("from shared.answer import ANSWER\n")
    invocation = run("from helper import ANSWER\n\ndef handler(event, context):\n    return ANSWER\n")
    assert invocation.result == 42


def test_a_module_of_the_code_hides_one_of_the_standard_library(run: Run, make_function: Make) -> None:
    """The code root comes before the standard library, so the platform warns of names like json."""
    (make_function("").code_root / "colorsys.py").write_text("MINE = True\n")
    invocation = run("import colorsys\n\ndef handler(event, context):\n    return colorsys.MINE\n")
    assert invocation.result is True


def test_working_directory_is_the_parent_of_the_code_root(run: Run, make_function: Make) -> None:
    """Relative paths start one level above the code, as on the platform."""
    invocation = run("import os\n\ndef handler(event, context):\n    return os.getcwd()\n")
    assert invocation.result == str(make_function("").code_root.parent)


def test_interpreter_is_this_one(run: Run) -> None:
    """The function runs with the command's interpreter and its installed packages."""
    invocation = run("import sys\n\ndef handler(event, context):\n    return sys.executable\n")
    assert invocation.result == sys.executable


def test_handler_in_a_folder(run: Run, make_function: Make) -> None:
    """A handler such as src/index.handler is found below the code folder."""
    function = make_function("")
    (function.code_uri / "src").mkdir()
    (function.code_uri / "src" / "main.py").write_text("def work(event, context):\n    return 'there'\n")
    assert run("", handler="src/main.work").result == "there"


def test_initializer_runs_once_before_the_first_event(make_instance: Make, credentials: Credentials) -> None:
    """The initializer gets a context and runs once for all events."""
    instance = make_instance(
        """
        calls = []

        def initializer(context):
            calls.append(context.getFunctionName())

        def handler(event, context):
            return calls
        """,
        initializer="index.initializer",
    )
    results = [instance.invoke("{}", credentials).result for _ in range(2)]
    assert results == [["sample"], ["sample"]]


def test_nothing_of_the_machine_reaches_the_function(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function does not see the command's environment variables, such as proxies."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NOTIFY_TOPIC_URN", "urn:smn:of:somebody:else")
    invocation = run("import os\n\ndef handler(event, context):\n    return dict(os.environ)\n")
    assert {"HTTP_PROXY", "NOTIFY_TOPIC_URN"}.isdisjoint(invocation.result)


def test_settings_and_presets_are_in_the_environment(run: Run) -> None:
    """The environment has the settings, the settings as JSON, and the RUNTIME_ variables."""
    invocation = run(
        """
        import json, os

        def initializer(context):
            pass

        def handler(event, context):
            return {k: v for k, v in os.environ.items() if k.startswith("RUNTIME_") or k == "ON_BUSY"}
        """,
        settings={"ON_BUSY": "skip"},
        initializer="index.initializer",
        timeout=30,
    )
    variables = invocation.result
    assert variables.pop("RUNTIME_CODE_ROOT").endswith("/application")
    assert Path(variables.pop("RUNTIME_LOG_DIR")).is_dir()
    assert Path(variables.pop("RUNTIME_ROOT")).is_dir()
    assert variables == {
        "ON_BUSY": "skip",
        "RUNTIME_PROJECT_ID": "a-project",
        "RUNTIME_FUNC_NAME": "sample",
        "RUNTIME_FUNC_VERSION": "latest",
        "RUNTIME_PACKAGE": "default",
        "RUNTIME_HANDLER": "index.handler",
        "RUNTIME_TIMEOUT": "30",
        "RUNTIME_USERDATA": '{"ON_BUSY": "skip"}',
        "RUNTIME_CPU": "400",
        "RUNTIME_MEMORY": "256",
        "RUNTIME_MAX_RESP_BODY_SIZE": "6291456",
        "RUNTIME_INITIALIZER_HANDLER": "index.initializer",
        "RUNTIME_INITIALIZER_TIMEOUT": "10",
    }


def test_standard_input_is_empty(run: Run) -> None:
    """The function cannot read the pipe that delivers its credentials."""
    invocation = run("import sys\n\ndef handler(event, context):\n    return sys.stdin.read()\n")
    assert invocation.result == ""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux")
def test_secrets_are_no_arguments_and_no_variables(run: Run, credentials: Credentials) -> None:
    """Neither the command line nor the environment of the process has credentials."""
    invocation = run(
        """
        from pathlib import Path

        def handler(event, context):
            process = Path("/proc/self")
            return [(process / name).read_text(errors="replace") for name in ("cmdline", "environ")]
        """
    )
    secrets = (credentials.secret_key, credentials.security_token, credentials.token)
    assert invocation.ok
    assert not any(secret in text for text in invocation.result for secret in secrets)
