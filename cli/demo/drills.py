"""Two drills on the timer: one verifies its backup, the other finds that half of the documents are missing."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from cli.demo.restore import ANOTHER, COLLECTION, SOURCE
from cli.demo.stage import Stage, Story
from cli.event.samples import sample_event
from localcloud.functiongraph.runtime.instance import Instance
from shared.drill.schedule import Schedule, read_hours
from shared.format import duration


FUNCTION = "drill_backups"
PERIOD = timedelta(minutes=5)
"""The rate of the timer in the template."""
RUNS = 20
"""A drill that needs more runs of the timer is a failure."""
SCHEDULE = Schedule(timedelta(days=1), read_hours("00:00-24:00"))
SETTINGS = {
    "DRY_RUN": "false",
    "DRILL_ENTERPRISE_PROJECT_ID": "6f0d2c1e-58a7-4a0b-9d3e-2b7f4c9a1d05",
    "DRILL_INTERVAL": "1d",
    "DRILL_HOURS": "00:00-24:00",
    "DRILL_CONNECT": "true",
}
"""A drill of each instance a day, and the documents are read."""
EXPECT = {SOURCE: {".".join(COLLECTION): 49}, ANOTHER: {"ledger.entries": 90}}


def settings(stage: Stage) -> dict[str, str]:
    """Return the settings of drill_backups, with the certificate authority of the local cloud."""
    return {**SETTINGS, "DRILL_CA": stage.ca.read_text(encoding="ascii")}


def drill(stage: Stage, drill_backups: Instance, backups: dict[str, str]) -> Iterator[Story]:
    """Tell the story of each drill. *backups* has the ids of the backups by their instances, SOURCE and ANOTHER."""
    yield _drill(stage, drill_backups, SOURCE, "A drill restores the backup of customers, and verifies it", "verified")
    stage.cloud.call("PUT", f"/_local/backups/{backups[ANOTHER]}/fault", json={"keeps": 0.5})
    heading = "The backup of ledger is damaged on purpose: half of its documents are lost"
    yield _drill(stage, drill_backups, ANOTHER, heading, "failed")


def _drill(stage: Stage, drill_backups: Instance, source_id: str, heading: str, expected: str) -> Story:
    story = stage.begin(heading)
    stage.wait_until(SCHEDULE.slot(source_id, stage.now() + SCHEDULE.interval).begin)
    event = {"instance_ids": [SOURCE, ANOTHER], "expect": EXPECT}
    verdicts: list[dict[str, Any]] = []
    is_restored = False
    for _ in range(RUNS):
        # The run that checks the copy waits until its new password is set, which takes no time in the demo.
        stage.cloud.call("PATCH", "/_local/switches", json={"duration_scale": 0 if is_restored and not verdicts else 1})
        timer = sample_event("timer", function=FUNCTION, moment=stage.now())
        timer["user_event"] = json.dumps(event)
        seen = len(story.messages)
        report = stage.invoke(drill_backups, timer)
        for slot in report.get("slots", []):
            if slot["state"] == "BEGUN":
                stage.tell("begun", f"DDS restores the newest backup of {slot['instance_name']} to {slot['name']}")
        is_restored = is_restored or any(item["step"] == "TAG" for item in report.get("drills", []))
        for message in story.messages[seen:]:
            notification = json.loads(str(message["message"]))
            verdicts += _tell(stage, notification)
        stage.cloud.advance(PERIOD.total_seconds())
        if verdicts and stage.instance(verdicts[0]["drill_instance_id"]) is None:
            break
    stage.expect("verdicts", [verdict["valid"] for verdict in verdicts], [expected])
    for verdict in verdicts:
        is_gone = stage.instance(verdict["drill_instance_id"]) is None
        stage.expect(f"{verdict['drill']} is deleted", is_gone, expected=True)
        if is_gone:
            stage.tell("cleaned up", "the instance is deleted, and lies in the recycle bin")
    if expected == "failed" and verdicts:
        stage.teller.mailed(_mail(story.messages[-1]))
    return story


def _tell(stage: Stage, notification: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Tell of the verdict of a drill, and yield its data."""
    data = notification["data"]
    if data.get("valid") not in ("verified", "failed"):
        return
    rto, rpo = data["rto"], data["rpo"]
    stage.tell("restored", f"in {duration(rto['restore'])}", time=datetime.fromisoformat(_plain(data["restore_ended"])))
    passed = [check["name"] for check in data["checks"] if check["passed"]]
    stage.tell("checked", f"{len(passed)} of {len(data['checks'])} passed: {', '.join(passed)}")
    for check in data["checks"]:
        if check["passed"] is False:
            stage.tell("", f"{check['name']}: expected {check['expected']}, found {check['found']}", "red")
    style = "green" if data["valid"] == "verified" else "red"
    stage.tell(data["valid"], f"{data['message']}; {notification['type']} is published", style)
    if data["valid"] == "verified":
        newest, age = duration(rpo["newest_data"] or 0), duration(rpo["backup_age"])
        stage.tell("RTO", f"{duration(rto['restore'])}, after {duration(rto['queue'])} in the queue")
        stage.tell("RPO", f"the newest document is {newest} older than the backup, the backup {age} old")
        stage.tell("marked", "the copy is restarted, which DDS tells of for 30 days")
    yield data


def _plain(moment: str) -> str:
    return moment.replace("Z", "+00:00")  # Python 3.10 reads no Z


def _mail(message: Any) -> str:
    return str(next(one["content"]["message"] for one in message["deliveries"] if one["protocol"] == "email"))
