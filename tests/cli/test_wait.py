"""``ddsbackup wait``: output, and the exit status that a pipeline acts on."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.wait.command import GRACE, Poll, wait
from cli.wait.display import Bars, Lines, verdict
from localcloud import LocalCloud
from shared.errors import CloudError, DeniedError, ThrottledError, TransientError
from shared.track.report import Answer, BackupProgress, State
from tests.deliveries import CloudClock, Deliveries
from tests.fakes import FakeClock


Run = Callable[..., Any]
FACTS = {"instance_id": "i-1", "instance_name": "orders", "backup_id": "b-1", "name": "nightly", "job_id": "j-1"}


def backup(state: State, progress: str | None = None, **facts: Any) -> BackupProgress:
    return BackupProgress(state, {**FACTS, **facts}, progress)


def answer(*backups: BackupProgress) -> Answer:
    return Answer({"job_id": "j-1"}, backups, None if backups else "not seen")


NOTHING = answer()
RUNNING = answer(backup(State.RUNNING, "60%"))
DONE = answer(backup(State.COMPLETED, size=1024, duration=63))
BROKEN = answer(backup(State.FAILED))


class Script:
    """Returns or raises one step after the other, and then repeats the last one."""

    def __init__(self, clock: FakeClock, *steps: Answer | CloudError) -> None:
        self.clock, self.steps = clock, list(steps)
        self.asked: list[float] = []

    def __call__(self) -> Answer:
        self.asked.append(self.clock.seconds)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, CloudError):
            raise step
        return step


def poll(*steps: Answer | CloudError, timeout: float = 100, **changes: Any) -> tuple[Any, Script, str]:
    """Poll the script. Returns the result, the script with the times of the polls, and the log."""
    clock, out = FakeClock(), io.StringIO()
    script = Script(clock, *steps)
    with Lines(Console(file=out, width=200)) as lines:
        waited = Poll(script, clock, timeout, interval=10, **changes).until_over(lines)
    return waited, script, out.getvalue()


def test_it_polls_at_once_and_at_every_interval_until_the_backup_is_over() -> None:
    """The log has each change once."""
    waited, script, log = poll(NOTHING, NOTHING, RUNNING, RUNNING, DONE)

    assert (waited.answer, waited.is_timed_out, script.asked) == (DONE, False, [0, 10, 20, 30, 40])
    assert log.splitlines() == [
        "     0 s  DDS does not list it yet",
        "    20 s  orders nightly RUNNING 60%",
        "    40 s  orders nightly COMPLETED",
    ]


def test_a_failed_backup_is_the_end() -> None:
    """The first failure of several backups ends the waiting."""
    assert poll(answer(backup(State.RUNNING), backup(State.FAILED)))[0].answer.state is State.FAILED


def test_the_last_poll_is_at_the_timeout() -> None:
    """The backup may end in the last seconds."""
    waited, script, _ = poll(RUNNING, timeout=25)

    assert (waited.answer, waited.is_timed_out, script.asked) == (RUNNING, True, [0, 10, 20, 25])


def test_transient_errors_do_not_end_it() -> None:
    """The log has each."""
    waited, script, log = poll(TransientError("503"), RUNNING, TransientError("cut"), DONE)

    assert (waited.answer, len(script.asked)) == (DONE, 4)
    assert "no answer (unavailable: 503), trying again" in log
    assert "no answer (unavailable: cut), trying again" in log


def test_retry_after_is_honored() -> None:
    """It may be longer than the interval, but not exceed the timeout."""
    assert poll(ThrottledError("429", retry_after=42), DONE)[1].asked == [0, 42]
    waited, script, _ = poll(RUNNING, ThrottledError("429", retry_after=999), timeout=60)
    assert script.asked == [0, 10, 60]
    assert (waited.answer, waited.is_timed_out, str(waited.error)) == (RUNNING, True, "429")


def test_other_errors_are_raised() -> None:
    """A denied call stays denied."""
    with pytest.raises(DeniedError):
        poll(RUNNING, DeniedError("no"))


def test_an_id_that_dds_does_not_list_after_two_minutes_is_wrong() -> None:
    """A known job or backup exists already, but the backups of an idempotency key may be made at any time."""
    waited, script, _ = poll(NOTHING, timeout=1000)
    assert (waited.is_timed_out, script.asked[-1]) == (False, GRACE)

    assert poll(NOTHING, timeout=1000, may_come_late=True)[0].is_timed_out


def test_fewer_backups_than_expected_are_not_enough() -> None:
    """The second backup of the event may not have begun yet."""
    two = answer(backup(State.COMPLETED), backup(State.COMPLETED, backup_id="b-2"))

    assert poll(DONE, two, expect=2)[0].answer is two


def test_bars_on_a_terminal() -> None:
    """There is one for each backup, with errors above them."""
    out = io.StringIO()
    with Bars(Console(file=out, force_terminal=True, width=120, highlight=False)) as bars:
        for seen in (NOTHING, RUNNING, answer(backup(State.RUNNING)), DONE):
            bars.answered(seen, 1)
        bars.failed(TransientError("503"), 1)

    said = out.getvalue()
    assert "orders nightly" in said
    assert "COMPLETED" in said
    assert "no answer (unavailable: 503), trying again" in said


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (DONE.backups[0], "COMPLETED  orders nightly  backup b-1  1 MB  1 min 3 s"),
        (RUNNING.backups[0], "RUNNING  orders nightly  backup b-1  60%"),
        (backup(State.FAILED, instance_name=None), "FAILED  i-1 nightly  backup b-1"),
        (BackupProgress(State.RUNNING, {"backup_id": None, "job_id": "j-1"}, "9%"), "RUNNING  job j-1  9%"),
    ],
)
def test_the_verdict_is_one_line(progress: BackupProgress, line: str) -> None:
    """It has the known facts."""
    assert verdict(progress) == line


# From here on: the command against the local cloud.


@pytest.fixture(autouse=True)
def _sleepless(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sleeping advances the local cloud's clock instead."""
    monkeypatch.setattr("cli.wait.command.SystemClock", lambda: CloudClock(cloud))


def make(cloud: LocalCloud, count: int = 1, key: str = "release-42") -> list[dict[str, Any]]:
    """Let create_backup start backups, which take more than a minute."""
    deliveries = Deliveries(cloud, cloud.connection()["instance_ids"][:count])
    deliveries.event = {"instance_ids": deliveries.instances, "idempotency_key": key}
    results: list[dict[str, Any]] = deliveries.deliver_until_it_succeeds()["results"]
    return results


@pytest.mark.parametrize("option", ["--job-id", "--backup-id", "--idempotency-key"])
def test_a_backup_that_completes(ddsbackup: Run, cloud: LocalCloud, option: str) -> None:
    """The exit status is 0, standard output has the verdict, standard error the progress, and neither has secrets."""
    (made,) = make(cloud)
    value = {"--job-id": made["job_id"], "--backup-id": made["backup_id"]}.get(option, "release-42")

    ran = ddsbackup("wait", option, value, "--cloud", cloud.url)

    assert ran.status == 0
    assert ran.out.startswith("COMPLETED  orders-cluster ")
    assert made["backup_id"] in ran.out
    assert "RUNNING" in ran.err
    connection = cloud.connection()
    assert not any(connection[key] in ran.out + ran.err for key in ("secret_key", "security_token", "token"))


def test_the_end_as_json(ddsbackup: Run, cloud: LocalCloud) -> None:
    """Standard output is one document."""
    make(cloud, 2)

    ran = ddsbackup("wait", "--idempotency-key", "release-42", "--expect", "2", "--cloud", cloud.url, "--json")

    assert (ran.status, ran.json["state"], ran.json["timed_out"]) == (0, "COMPLETED", False)
    assert [found["state"] for found in ran.json["backups"]] == ["COMPLETED", "COMPLETED"]
    assert ran.json["waited"] > 0


def test_a_backup_that_fails(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The exit status is 1, and the output has the reason."""
    instance = cloud.connection()["instance_ids"][0]
    cloud.change_instance(instance, fails_with="No space left in OBS.")
    (made,) = make(cloud)

    ran = ddsbackup("wait", "--job-id", made["job_id"], "--cloud", cloud.url)

    assert ran.status == 1
    assert ran.out.startswith("FAILED")
    assert "No space left in OBS." in ran.out


def test_a_backup_that_takes_too_long(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The exit status is 3, and the output has the known facts and the time waited."""
    (made,) = make(cloud)

    arguments = ("wait", "--backup-id", made["backup_id"], "--cloud", cloud.url, "--timeout", "25s")
    ran, as_json = ddsbackup(*arguments), ddsbackup(*arguments, "--json")

    assert ran.status == as_json.status == 3
    assert ran.out.startswith("RUNNING  orders-cluster")
    assert ran.err.endswith("timed out after 25 s\n")
    assert (as_json.json["state"], as_json.json["timed_out"]) == ("RUNNING", True)


def test_throttling_and_transient_errors_do_not_end_it(ddsbackup: Run, cloud: LocalCloud) -> None:
    """429, 503 and a dropped connection, then success."""
    (made,) = make(cloud)
    throttled = {"error_code": "APIGW.0308", "error_msg": "slow down"}
    cloud.set_faults(
        [
            {"path": "/jobs$", "nth": [1], "answer": {"status": 429, "body": throttled}},
            {"path": "/jobs$", "nth": [2], "drop": "before"},
            {"path": "/backups$", "nth": [1], "answer": {"status": 503, "body": "<html>"}},
        ]
    )

    ran = ddsbackup("wait", "--job-id", made["job_id"], "--cloud", cloud.url)

    assert ran.status == 0
    assert "no answer (throttled: " in ran.err
    assert ran.err.count("no answer (unavailable") == 2


def test_a_cloud_that_never_answers(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The exit status is 3, and the output has the last error."""
    cloud.set_faults([{"path": "/jobs$", "answer": {"status": 503, "body": "<html>"}}])
    arguments = ("wait", "--job-id", "j", "--cloud", cloud.url, "--timeout", "25s")

    ran, as_json = ddsbackup(*arguments), ddsbackup(*arguments, "--json")

    assert (ran.status, ran.out) == (3, "")
    assert "the last call failed: " in ran.err
    assert as_json.json["state"] == "UNKNOWN"
    assert "503" in as_json.json["error"]


def test_a_cloud_that_denies_access(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The exit status is 2, because a permission has to be granted first."""
    body = {"error_code": "DBS.200010", "error_msg": "no"}
    cloud.set_faults([{"path": "/backups$", "answer": {"status": 403, "body": body}}])

    ran = ddsbackup("wait", "--backup-id", "b", "--cloud", cloud.url)

    assert ran.status == 2
    assert "DDS refuses to answer (denied): DBS.200010" in ran.err


def test_a_wrong_id_is_a_wrong_call(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The exit status is 2 after the time in which DDS would list it."""
    ran = ddsbackup("wait", "--job-id", "nobody", "--cloud", cloud.url)

    assert ran.status == 2
    assert ran.out.startswith("UNKNOWN  DDS does not know this job")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((), "exactly one of --job-id, --backup-id and --idempotency-key"),
        (("--job-id", "j", "--backup-id", "b"), "exactly one of"),
        (("--job-id", "j", "--expect", "2"), "--expect needs --idempotency-key"),
        (("--job-id", "j", "--cloud", "x", "--region", "y"), "give either --cloud"),
        (("--job-id", "j", "--timeout", "soon"), "found soon, expected a duration"),
        (("--job-id", "j", "--cloud", "http://127.0.0.1:9"), "no local cloud answers"),
        (("--job-id", "j"), "give --region"),
        (("--job-id", "j", "--region", "cn-north-4"), "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK"),
    ],
)
def test_a_wrong_call(
    ddsbackup: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], fault: str
) -> None:
    """The exit status is 2, and the message says what to give."""
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"):
        monkeypatch.delenv(name, raising=False)

    ran = ddsbackup("wait", *arguments)

    assert ran.status == 2
    assert fault in ran.err


def test_ctrl_c_is_not_a_failure_of_the_backup(
    ddsbackup: Run, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit status is 130, as in a shell, not 1."""

    def interrupt(self: object, display: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Poll, "until_over", interrupt)

    assert ddsbackup("wait", "--job-id", "j", "--cloud", cloud.url).status == 130


def test_the_help_says_what_the_exit_status_means() -> None:
    """Authors of pipelines need it."""
    text = " ".join(str(wait.help).split())

    assert "exit status is 0 if it completed, 1 if it failed, 3 at the timeout, and 2 for a wrong call" in text
