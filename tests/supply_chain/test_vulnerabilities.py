"""The check tells clean, vulnerable and unchecked packages apart."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.supply_chain.finding import Verdict, worst
from tests.supply_chain.vulnerabilities import audit_requirements


ADVISORY = {
    "vulns": [
        {
            "id": "PYSEC-2026-1",
            "schema_version": "1.4.0",
            "published": "2026-01-01T00:00:00Z",
            "affected": [
                {
                    "package": {"name": "one", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
                }
            ],
        }
    ]
}


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A requirements file with two packages, one of them in two versions for two Pythons."""
    file = tmp_path / "requirements.txt"
    file.write_text(
        f"one==1.0 ; python_version < '3' --hash=sha256:{'a' * 64}\n"
        f"one==1.1 ; python_version >= '3' --hash=sha256:{'b' * 64}\n"
        f"two==2.0 --hash=sha256:{'c' * 64}\n"
    )
    return file


@contextmanager
def osv(vulnerable: str | None) -> Iterator[str]:
    """Run a vulnerability service that knows at most one vulnerable package. Yields the URL of its queries."""

    class Queries(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = ADVISORY if (asked["package"]["name"], asked["version"]) == (vulnerable, "1.0") else {}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Queries) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("vulnerable", "verdict", "lines"),
    [(None, Verdict.CLEAN, ()), ("one", Verdict.FOUND, ("one 1.0: PYSEC-2026-1, fixed in 1.1",))],
    ids=["clean", "vulnerable"],
)
def test_the_verdict_is_that_of_the_service(
    requirements: Path, vulnerable: str | None, verdict: Verdict, lines: tuple[str, ...]
) -> None:
    """A line names the vulnerability and the version with the fix. Versions for other Pythons are checked too."""
    with osv(vulnerable) as url:
        finding = audit_requirements(requirements, ["--vulnerability-service=osv", f"--osv-url={url}"])

    assert (finding.verdict, finding.lines) == (verdict, lines)


def test_an_unreachable_service_leaves_the_packages_unchecked(requirements: Path) -> None:
    """The exit status of pip-audit is the same as for a vulnerability."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # no service listens
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1/query"
        finding = audit_requirements(requirements, ["--vulnerability-service=osv", f"--osv-url={url}", "--timeout=1"])

    assert finding.verdict is Verdict.UNCHECKED
    assert "could not be reached" in finding.lines[0]


@pytest.mark.parametrize(
    ("known", "verdict", "expected"),
    [
        ([], Verdict.UNCHECKED, "knows none of the 1 packages"),
        ([{"name": "two", "version": "2.0", "vulns": []}], Verdict.UNCHECKED, "one: the vulnerability service"),
        (
            [{"name": "two", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": []}]}],
            Verdict.FOUND,
            "two 2.0: PYSEC-1, fixed in no version",
        ),
    ],
    ids=["none known", "one unknown", "one unknown and one vulnerable"],
)
def test_unknown_packages_are_not_clean(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    known: list[dict[str, object]],
    verdict: Verdict,
    expected: str,
) -> None:
    """pip-audit skips them and succeeds, for example with a mirror of PyPI that has no such data."""
    document = {"dependencies": [{"name": "one", "skip_reason": "not found on PyPI"}, *known], "fixes": []}

    class Done:
        stdout = json.dumps(document)
        stderr = "No known vulnerabilities found"

    monkeypatch.setattr("tests.supply_chain.vulnerabilities.subprocess.run", lambda *_, **__: Done)

    file = tmp_path / "requirements.txt"
    file.write_text("one==1.0\ntwo==2.0\n")

    finding = audit_requirements(file)

    assert finding.verdict is verdict
    assert expected in finding.lines[0]


def test_something_found_outranks_something_unchecked() -> None:
    """The exit status is 1 before 3 before 0."""
    assert worst([Verdict.CLEAN, Verdict.UNCHECKED, Verdict.FOUND]) is Verdict.FOUND
    assert worst([Verdict.CLEAN, Verdict.UNCHECKED]) is Verdict.UNCHECKED
    assert worst([Verdict.CLEAN]) is Verdict.CLEAN
