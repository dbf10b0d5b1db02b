"""Functions that misbehave: the local cloud reports what happened and handles the next event."""

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from huaweicloudsdkfunctiongraph.v2 import FunctionGraphClient

from localcloud import LocalCloud
from localcloud.functiongraph.runtime.log import MAX_LINE_BYTES, MAX_LOG_CHARACTERS, LineSplitter, LogTail
from tests.localcloud.functions import NO_DATEUTIL, Answer, invoke, new_function, package, until
from tests.localcloud.sdk import build
from tests.localcloud.test_functiongraph_life import are_gone


pytestmark = NO_DATEUTIL
LONE = r"\ud800"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with a state file, so that every result has to be stored."""
    with LocalCloud(state_file=tmp_path_factory.mktemp("state") / "cloud.db") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def deploy(cloud: LocalCloud) -> Callable[..., str]:
    """Create a function from a source or a zip. Returns its URN."""
    client = build(FunctionGraphClient, cloud)
    names = (f"f{number}" for number in range(100))

    def make(source: str | bytes) -> str:
        content = source if isinstance(source, bytes) else package(source)
        urn: str = client.create_function(new_function(next(names), content, memory_size=128, timeout=10)).func_urn
        return urn

    return make


def error_of(answer: Answer) -> tuple[str, str]:
    assert (answer.status, answer.headers["X-Is-Func-Err"]) == (200, "true"), answer.text
    return answer.json["errorType"], answer.json["errorMessage"]


def invocation_of(cloud: LocalCloud, urn: str) -> Any:
    """The first invocation of a function."""
    return next(one for one in cloud.invocations() if one["function_urn"] == urn)


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ("import os; os.kill(os.getpid(), 40)", "FunctionExited", "ended by signal 40"),
        ("import os; os.kill(os.getpid(), 11)", "FunctionExited", "ended by SIGSEGV"),
        (f"return '{LONE}'", "FunctionResultError", "4007"),
        (f"raise ValueError('{LONE}')", "ValueError", LONE),
        ("raise Silent", "Silent", "<exception str() failed>"),
        ("b = bytearray(400 << 20)", "FunctionOutOfMemory", "runtime memory limit exceeded: it has 128 MB"),
        ("b = [bytes(1 << 20)]\n    while True: b.append(b[0] + b'x')", "FunctionOutOfMemory", "limit exceeded"),
    ],
    ids=["no name", "crash", "text", "message", "no message", "memory", "more and more"],
)
def test_failures(cloud: LocalCloud, deploy: Callable[..., str], body: str, kind: str, message: str) -> None:
    """The error is in the response, and the next event runs normally."""
    source = f"""
import os
class Silent(Exception):
    def __str__(self): raise RuntimeError
def handler(event, context):
    if event: return "well"
    {body}
    return "done"
"""
    urn = deploy(source)

    found = error_of(invoke(cloud, urn))

    assert (found[0], message in found[1]) == (kind, True), found
    assert invoke(cloud, urn, {"n": 1}).text == "well"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"kind": "text", "body": "forged"}\\n',
        '{"kind": "text", "body": "forged", "duration_ms": 1.0, "max_memory_used_mb": 1}\\n',
    ],
    ids=["half a line", "a reply without a duration", "a whole reply"],
)
def test_a_function_cannot_forge_its_reply(cloud: LocalCloud, deploy: Callable[..., str], text: str) -> None:
    """What a function writes to every file descriptor it finds is ignored: its own result counts, each time."""
    urn = deploy(f"""
import os
def handler(event, context):
    for fd in range(3, 200):
        try: os.write(fd, b'{text}')
        except OSError: pass
    return "its own"
""")

    assert [invoke(cloud, urn).text for _ in range(3)] == ["its own"] * 3


def test_what_is_deeply_nested(cloud: LocalCloud, deploy: Callable[..., str]) -> None:
    """An event nested 500 levels deep is delivered, and a result that is deeper is returned."""
    urn = deploy("def handler(event, context): return [event] * 1")
    event: Any = {}
    for _ in range(499):
        event = {"a": event}

    assert invoke(cloud, urn, event).json == [event]
    assert invocation_of(cloud, urn)["ok"] is True


def zip_with(change: Callable[[bytearray], None], files: int = 1) -> bytes:
    """A zip with this many entries, damaged by `change`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for _ in range(files):
            archive.writestr(zipfile.ZipInfo("index.py"), "def handler(event, context): ...")
    changed = bytearray(content.getvalue())
    change(changed)
    return bytes(changed)


def other_sum(content: bytearray) -> None:
    content[content.index(b"event")] = ord("E")


def encrypted(content: bytearray) -> None:
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1


def other_compression(content: bytearray) -> None:
    content[8] = content[content.index(b"PK\1\2") + 10] = 99


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (zip_with(other_sum), "FunctionCodeError", "Bad CRC-32"),
        (zip_with(encrypted), "FunctionCodeError", "encrypted"),
        (zip_with(other_compression), "FunctionCodeError", "not supported"),
        (zip_with(lambda _: None, files=0), "FileNotFoundError", "index.py"),
    ],
    ids=["sum", "encrypted", "compression", "empty"],
)
def test_a_damaged_package(
    cloud: LocalCloud, deploy: Callable[..., str], content: bytes, kind: str, message: str
) -> None:
    """A damaged package is an error of the invocation, not of the cloud."""
    found = error_of(invoke(cloud, deploy(content)))

    assert (found[0], message in found[1]) == (kind, True), found


@pytest.mark.parametrize("where", ["handler", "import"])
def test_a_fork_that_returns(cloud: LocalCloud, deploy: Callable[..., str], where: str) -> None:
    """A fork that returns from the handler sends no reply, which would be taken for the next event's."""
    fork = {"handler": "", "import": "", where: "os.fork()"}
    urn = deploy(
        f"import os\n{fork['import']}\ndef handler(event, context):\n    {fork['handler']}\n    return event\n"
    )

    assert [invoke(cloud, urn, {"n": number}).json for number in range(4)] == [{"n": number} for number in range(4)]


@pytest.mark.parametrize(
    "expression", [f"{{'half': '{LONE}'}}", "deep(900)"], ids=["lone surrogate", "nine hundred lists"]
)
def test_a_result_that_cannot_be_stored(cloud: LocalCloud, deploy: Callable[..., str], expression: str) -> None:
    """A result that cannot be stored is recorded as its JSON text."""
    urn = deploy(f"""
        def deep(n):
            return [deep(n - 1)] if n else []

        def handler(event, context):
            return {expression}
        """)

    answer = invoke(cloud, urn)

    assert (answer.status, answer.headers["X-Is-Func-Err"]) == (200, "false")
    assert invocation_of(cloud, urn)["result"] == answer.text


def test_an_event_with_a_lone_surrogate(cloud: LocalCloud, deploy: Callable[..., str]) -> None:
    """An event with a lone surrogate, which JSON can express, reaches the function."""
    urn = deploy("def handler(event, context):\n    return len(event['half'])\n")

    connection = cloud.connection()
    answer = httpx.post(
        f"{cloud.url}/v2/{connection['project_id']}/fgs/functions/{urn}/invocations",
        content=f'{{"half": "{LONE}"}}',
        headers={"X-Auth-Token": connection["token"]},
        trust_env=False,
    )

    assert answer.text == "1"


def test_a_very_long_log(cloud: LocalCloud, deploy: Callable[..., str]) -> None:
    """A long line and many lines do not fill memory: the end of the log is kept."""
    urn = deploy("""
        def handler(event, context):
            print("x" * 3_000_000)
            for number in range(20_000):
                print(number, "y" * 100)
        """)

    invoke(cloud, urn)

    log = invocation_of(cloud, urn)["log"]
    assert log[0].endswith("lines before these were not kept)")
    assert log[-1].startswith("19999 y")
    assert sum(map(len, log[1:])) <= MAX_LOG_CHARACTERS


def test_long_lines_are_split() -> None:
    """Long lines are split and no byte is lost, however the bytes arrive."""
    lines: list[str] = []
    into = LineSplitter(lines.append)
    for chunk in (b"a" * MAX_LINE_BYTES, b"b\n\nc", b"d\n", b"e" * (2 * MAX_LINE_BYTES + 1), b"\nlast"):
        into.add(chunk)
    into.end()

    assert "".join(lines) == "a" * MAX_LINE_BYTES + "b" + "cd" + "e" * (2 * MAX_LINE_BYTES + 1) + "last"
    assert max(map(len, lines)) == MAX_LINE_BYTES
    assert "" in lines


def test_a_short_log() -> None:
    """A short log is kept whole, without a note about dropped lines."""
    log = LogTail()
    for line in ("a", "", "b"):
        log.add(line)

    assert log.lines() == ("a", "", "b")
    log.clear()
    assert log.lines() == ()


def test_a_process_in_another_session(cloud: LocalCloud, deploy: Callable[..., str]) -> None:
    """A process that the function started in a session of its own ends with the instance."""
    urn = deploy("""
        import subprocess
        def handler(event, context):
            return subprocess.Popen(["sh", "-c", "sleep 60 & echo; wait"], start_new_session=True).pid
        """)
    pid = invoke(cloud, urn).json
    cloud.reset()

    assert until(lambda: are_gone([pid]))
