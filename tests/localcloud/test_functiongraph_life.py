"""No function outlives its cloud, however the cloud ends, and no accepted event is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest
from huaweicloudsdkfunctiongraph.v2 import FunctionGraphClient

from localcloud import LocalCloud
from tests.localcloud.functions import NO_DATEUTIL, invoke, new_code, new_config, new_function, package, until
from tests.localcloud.sdk import build


pytestmark = NO_DATEUTIL
PID = "import os\ndef handler(event, context):\n    return os.getpid()\n"
# Writes its process id and that of its child to a file, and never returns.
STUCK = """
    import os, subprocess, time
    from pathlib import Path

    def handler(event, context):
        child = subprocess.Popen(["sleep", "60"])
        Path(event["file"]).write_text(f"{os.getpid()} {child.pid}")
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass
    """
SERVER = """
import sys
from localcloud import LocalCloud
sys.path.insert(0, sys.argv[1])
from huaweicloudsdkfunctiongraph.v2 import FunctionGraphClient
from tests.localcloud.functions import invoke, new_function, package
from tests.localcloud.sdk import build
from tests.localcloud.test_functiongraph_life import STUCK
with LocalCloud() as cloud:
    made = new_function(content=package(STUCK), timeout=60)
    urn = build(FunctionGraphClient, cloud).create_function(made).func_urn
    invoke(cloud, urn, {"file": sys.argv[2]})
"""


def are_gone(pids: list[int]) -> bool:
    """Whether none of the processes is running. A zombie does not count."""
    for pid in pids:
        status = Path(f"/proc/{pid}/stat")
        try:
            os.kill(pid, 0)
            if not status.exists() or ") Z " not in status.read_text():
                return False
        except (ProcessLookupError, FileNotFoundError):
            continue
    return True


def pids_in(file: Path) -> list[int]:
    """The process ids that a stuck function has written."""
    return [int(word) for word in file.read_text().split()] if file.exists() else []


def test_an_idle_instance_ends_with_the_cloud() -> None:
    """When the cloud stops, an idle process ends and its unpacked package is removed."""
    with LocalCloud() as cloud:
        urn = build(FunctionGraphClient, cloud).create_function(new_function(content=package(PID))).func_urn
        pid = invoke(cloud, urn).json
        folder = Path(f"/proc/{pid}/cwd").resolve().parent if Path("/proc").exists() else None

    assert are_gone([pid])
    assert folder is None or not folder.exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["invocations", "invocations-async"])
def test_a_busy_instance_ends_with_the_cloud(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """When the cloud stops, a running function is killed with everything it started."""
    file = tmp_path / "pids"
    answers = []
    with LocalCloud() as cloud:
        made = new_function(content=package(STUCK), timeout=60)
        urn = build(FunctionGraphClient, cloud).create_function(made).func_urn
        caller = Thread(target=lambda: answers.append(invoke(cloud, urn, {"file": str(file)}, kind).status))
        caller.start()
        pids = until(lambda: pids_in(file))
        began = time.monotonic()

    assert time.monotonic() - began < 5
    assert until(lambda: are_gone(pids))
    caller.join(10)
    assert answers == [503 if kind == "invocations" else 202]
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("kind", ["invocations", "invocations-async"])
def test_a_reset_ends_a_busy_instance(tmp_path: Path, cloud: LocalCloud, functiongraph: Any, kind: str) -> None:
    """A reset kills running functions and removes them."""
    file = tmp_path / "pids"
    urn = functiongraph.create_function(new_function(content=package(STUCK), timeout=60)).func_urn
    caller = Thread(target=invoke, args=(cloud, urn, {"file": str(file)}, kind))
    caller.start()
    pids = until(lambda: pids_in(file))
    cloud.reset()
    caller.join(10)

    assert until(lambda: are_gone(pids))
    assert (cloud.invocations(), cloud.functions()) == ([], [])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process when another one is killed")
def test_functions_die_with_a_killed_cloud(tmp_path: Path) -> None:
    """Functions and everything they started end even if the server gets SIGKILL."""
    file = tmp_path / "pids"
    root = Path(__file__).parent.parent.parent
    # The killed server leaves its unpacked packages.
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", SERVER, str(root), str(file)], cwd=root, env=environment) as server:
        pids = until(lambda: pids_in(file), 30)
        server.send_signal(signal.SIGKILL)
        server.wait()

    assert until(lambda: are_gone(pids))


def test_an_accepted_event_survives_a_restart(tmp_path: Path, local_cloud_factory: Callable[..., LocalCloud]) -> None:
    """An event answered with 202 is delivered by the next server if the first one stops."""
    source = """
        import time
        from pathlib import Path

        def handler(event, context):
            file = Path(event["file"])
            if not file.exists():
                file.write_text("0")
                time.sleep(60)
            return "delivered"
        """
    file = tmp_path / "began"
    with LocalCloud(state_file=tmp_path / "state.db") as before:
        made = new_function(content=package(source), timeout=60)
        urn = build(FunctionGraphClient, before).create_function(made).func_urn
        accepted = invoke(before, urn, {"file": str(file)}, "invocations-async")
        until(file.exists)
    after = local_cloud_factory(state_file=tmp_path / "state.db")

    [delivered] = until(after.invocations)
    assert (delivered["request_id"], delivered["result"]) == (accepted.json["request_id"], "delivered")


def test_twenty_events_at_once(cloud: LocalCloud, functiongraph: Any) -> None:
    """Twenty events are delivered, a few at a time, on reused instances."""
    urn = functiongraph.create_function(new_function(content=package(PID))).func_urn
    accepted = {invoke(cloud, urn, {}, "invocations-async").json["request_id"] for _ in range(20)}
    until(lambda: len(cloud.invocations()) == 20)

    assert {one["request_id"] for one in cloud.invocations()} == accepted
    assert len({one["result"] for one in cloud.invocations()}) <= 4
    assert cloud.functions()[0]["waiting"] == 0


def test_a_maximum_of_one_instance(cloud: LocalCloud, functiongraph: Any) -> None:
    """With a maximum of one instance, events are processed one after the other and none is lost."""
    source = "import os, time\ndef handler(event, context):\n    time.sleep(0.05)\n    return os.getpid()\n"
    urn = functiongraph.create_function(new_function(content=package(source))).func_urn
    strategy = sdk.StrategyConfig(concurrency=1, concurrent_num=1)
    functiongraph.update_function_config(new_config(urn, strategy_config=strategy))
    for _ in range(5):
        invoke(cloud, urn, {}, "invocations-async")
    until(lambda: len(cloud.invocations()) == 5)

    assert len({one["result"] for one in cloud.invocations()}) == 1


def test_an_instance_that_cannot_be_started(
    cloud: LocalCloud, functiongraph: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the package cannot be unpacked for lack of space, the invocation fails and the next one tries again."""
    urn = functiongraph.create_function(new_function(content=package(PID))).func_urn
    with monkeypatch.context() as patch:

        def full(*arguments: Any) -> Path:
            raise OSError(28, "No space left on device")

        patch.setattr("localcloud.functiongraph.packages.UnpackedPackages.code_root", full)
        failed = invoke(cloud, urn)

    assert (failed.status, failed.json["errorType"]) == (200, "SystemError")
    assert "No space left on device" in failed.json["errorMessage"]
    assert invoke(cloud, urn).json > 0


def test_a_code_change_during_an_invocation(cloud: LocalCloud, functiongraph: Any, tmp_path: Path) -> None:
    """A busy instance finishes its work after a code change, and is not reused."""
    source = """
        import os, time
        from pathlib import Path

        def handler(event, context):
            Path(event["file"]).write_text(str(os.getpid()))
            while Path(event["file"]).exists():
                time.sleep(0.01)
            return "old"
        """
    file = tmp_path / "pid"
    urn = functiongraph.create_function(new_function(content=package(source))).func_urn
    invoke(cloud, urn, {"file": str(file)}, "invocations-async")
    pids = until(lambda: pids_in(file))
    functiongraph.update_function_code(new_code(urn, package("def handler(event, context):\n    return 'new'\n")))
    assert invoke(cloud, urn).text == "new"
    file.unlink()
    until(lambda: len(cloud.invocations()) == 2)

    assert [one["result"] for one in cloud.invocations()] == ["new", "old"]
    assert until(lambda: are_gone(pids))
    assert cloud.functions()[0]["instances"] == 1
