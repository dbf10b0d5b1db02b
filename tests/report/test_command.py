"""``ddsbackup report`` against the local cloud."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localcloud import LocalCloud
from tests.cli.conftest import ddsbackup
from tests.cli.test_restore import with_incremental_backups
from tests.deliveries import Deliveries


__all__ = ["ddsbackup"]

Run = Callable[..., Any]


def test_a_report(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The policy of the template, filled in. The only instance with a target has a backup, others have none."""
    (wanted,) = cloud.connection()["instance_ids"][:1]
    deliveries = Deliveries(cloud, [wanted])
    deliveries.event = {"instance_ids": [wanted], "idempotency_key": "k"}
    deliveries.deliver_until_it_succeeds()
    cloud.advance(3600)
    given = ("report", "--cloud", cloud.url, "--parameter", f"InstanceId={wanted}")
    template = Path("template.yaml")
    text = (Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8")
    template.write_text(text.replace("# ADOPT_UNMARKED", "ADOPT_UNMARKED"), encoding="utf-8")

    ran = ddsbackup(*given, "--template", template, "--json", "--html", "report.html")
    one = next(item for item in ran.json["instances"] if item["instance_id"] == wanted)

    assert ran.status == 1  # other instances are tagged for backup, and no policy covers them
    assert (ran.json["totals"]["expected"], ran.json["totals"]["late"]) == (1, 0)
    assert (one["recent"], one["findings"], one["target"]["policy"]) == (True, [], "nightly")
    assert 3000 < one["newest"]["age"] < 4000
    assert one["strip"]["days"].rstrip(".").endswith("o")  # an hour later it may be another day
    assert Path("report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_without_a_policy_the_report_says_what_it_expects(ddsbackup: Run, cloud: LocalCloud) -> None:
    """A backup a day, of every instance."""
    ran = ddsbackup("report", "--cloud", cloud.url)

    assert ran.status == 1
    assert "every instance should have a backup every 1 d, with 2 h of grace" in ran.out
    assert "depend on a parameter without a value: give --parameter." in ran.out


def test_the_task_list_may_be_denied(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The rest is reported."""
    denied = {"error_code": "DBS.280032", "error_msg": "no"}
    cloud.set_faults([{"path": "/v3.1/.*/jobs$", "answer": {"status": 403, "body": denied}}])

    ran = ddsbackup("report", "--cloud", cloud.url, "--json")

    assert (ran.status, ran.json["drills_known"]) == (1, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--html", "nowhere/report.html"], "cannot write nowhere/report.html"), (["--template", "x.yaml"], "x.yaml")],
)
def test_wrong_calls(ddsbackup: Run, cloud: LocalCloud, arguments: list[str], said: str) -> None:
    """The message says what was found."""
    ran = ddsbackup("report", "--cloud", cloud.url, *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_the_window_of_a_restore_to_a_point_in_time(ddsbackup: Run, cloud: LocalCloud) -> None:
    """From the first automatic backup to the last five minutes. Of the others none is known."""
    wanted = with_incremental_backups(cloud)
    cloud.advance(3 * 86_400)

    ran = ddsbackup("report", "--cloud", cloud.url, "--json")
    windows = {one["instance_id"]: one["point_in_time"] for one in ran.json["instances"]}
    begin, end = (moment(windows[wanted][key]) for key in ("from", "to"))

    assert timedelta(days=2) < end - begin < timedelta(days=3)
    assert timedelta(0) <= moment(ran.json["reported_at"]) - end < timedelta(minutes=6)
    assert {key for key, window in windows.items() if window} == {wanted}


def moment(text: str) -> datetime:
    """A time of the document."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
