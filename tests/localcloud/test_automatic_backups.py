"""Automatic backups and their policy."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from huaweicloudsdkdds.v3 import (
    BackupPolicy,
    DeleteManualBackupRequest,
    ListBackupsRequest,
    ListInstancesRequest,
    ListTasksRequest,
    SetBackupPolicyRequest,
    SetBackupPolicyRequestBody,
    ShowBackupPolicyRequest,
    ShowJobDetailRequest,
)

from localcloud import LocalCloud
from tests.localcloud.sdk import new_backup, rejection


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
CATALOGUE = "7b0f1d93a8e24c65905dcb48e2713f0ain02"
METRICS = "90b6f2a47c1d4e38b5f0d7a3c9e8612din02"
EVERY_DAY = "1,2,3,4,5,6,7"
DAY = 86_400


def automatic(dds: Any, instance_id: str) -> list[Any]:
    """The automatic backups of an instance, newest first."""
    found: list[Any] = dds.list_backups(ListBackupsRequest(instance_id=instance_id, backup_type="Auto")).backups
    return found


def into_window(backup: Any, window: str) -> timedelta:
    """The time from the start of the window (hh:mm-HH:MM, which can cross midnight) to the start of a backup."""
    begin = datetime.fromisoformat(backup.begin_time)
    return (begin - datetime.fromisoformat(f"{backup.begin_time[:10]} {window[:5]}")) % timedelta(days=1)


def change(instance_id: str = CUSTOMERS, **policy: Any) -> Any:
    """The SDK's request to set a policy."""
    return SetBackupPolicyRequest(
        instance_id=instance_id, body=SetBackupPolicyRequestBody(backup_policy=BackupPolicy(**policy))
    )


def test_none_in_the_first_five_hours(cloud: LocalCloud, dds: Any) -> None:
    """No automatic backup starts in the first five hours."""
    before = automatic(dds, METRICS)
    cloud.advance(5 * 3600)

    assert automatic(dds, ORDERS) == []
    assert [one.id for one in automatic(dds, METRICS)] == [one.id for one in before]


def test_one_a_day_in_the_window(cloud: LocalCloud, dds: Any) -> None:
    """A daily policy creates one backup per day, within its window. Listing again returns the same backups."""
    cloud.advance(3 * DAY)

    found = automatic(dds, ORDERS)
    window = dds.show_backup_policy(ShowBackupPolicyRequest(instance_id=ORDERS)).backup_policy.start_time
    assert len(found) == 3
    assert all(into_window(backup, window) < timedelta(hours=1) for backup in found)
    assert len({backup.begin_time[:10] for backup in found}) == 3
    assert [backup.id for backup in automatic(dds, ORDERS)] == [backup.id for backup in found]


def test_only_on_the_days_of_the_period(cloud: LocalCloud, dds: Any) -> None:
    """The period 1,4 creates backups on Mondays and Thursdays."""
    cloud.advance(14 * DAY)

    window = dds.show_backup_policy(ShowBackupPolicyRequest(instance_id=CATALOGUE)).backup_policy.start_time
    begins = [datetime.fromisoformat(one.begin_time) - into_window(one, window) for one in automatic(dds, CATALOGUE)]
    assert {begin.isoweekday() for begin in begins} == {1, 4}


def test_kept_for_keep_days(cloud: LocalCloud, dds: Any) -> None:
    """keep_days 7 keeps the backups of the last seven days."""
    cloud.advance(30 * DAY)

    found = automatic(dds, ORDERS)
    oldest = datetime.fromisoformat(found[-1].begin_time).replace(tzinfo=timezone.utc)
    assert len(found) == 7
    assert (datetime.now(timezone.utc).timestamp() + 30 * DAY) - oldest.timestamp() <= 7 * DAY


def test_the_seed_has_some_already(dds: Any) -> None:
    """An instance with history_days in the seed has automatic backups from the start."""
    assert len(automatic(dds, METRICS)) == 3


def test_an_automatic_backup_makes_the_instance_busy(cloud: LocalCloud, dds: Any) -> None:
    """During an automatic backup a manual one is DBS.200019, and its job is Running."""
    cloud.advance(DAY)
    [done] = automatic(dds, ORDERS)
    cloud.reset()
    begin = datetime.fromisoformat(done.begin_time).replace(tzinfo=timezone.utc).timestamp()
    cloud.advance(begin - datetime.now(timezone.utc).timestamp() + 30)

    [running] = automatic(dds, ORDERS)
    job_id = next(one["job_id"] for one in cloud.state()["backups"] if one["id"] == running.id)
    refused = rejection(dds.create_manual_backup, new_backup(ORDERS))

    assert (running.status, running.type) == ("BUILDING", "Auto")
    assert refused == (403, "DBS.200019")
    assert dds.list_instances(ListInstancesRequest(id=ORDERS)).instances[0].actions == ["BACKUP"]
    assert dds.show_job_detail(ShowJobDetailRequest(id=job_id)).job.status == "Running"


def test_it_waits_for_a_manual_one(cloud: LocalCloud, dds: Any) -> None:
    """An automatic backup that is due during a manual one starts right after it."""
    cloud.advance(DAY)
    [planned] = automatic(dds, ORDERS)
    cloud.reset()
    begin = datetime.fromisoformat(planned.begin_time).replace(tzinfo=timezone.utc).timestamp()
    cloud.advance(begin - datetime.now(timezone.utc).timestamp() - 30)
    manual = dds.create_manual_backup(new_backup(ORDERS))
    cloud.advance(40)
    during = automatic(dds, ORDERS)
    cloud.advance(60)

    [mine] = dds.list_backups(ListBackupsRequest(backup_id=manual.backup_id)).backups
    assert during == []
    assert [one.begin_time for one in automatic(dds, ORDERS)] == [mine.end_time]


def test_turning_a_policy_on_makes_a_backup_at_once(cloud: LocalCloud, dds: Any) -> None:
    """Enabling a policy starts a backup, which cannot be deleted while the policy is enabled."""
    dds.set_backup_policy(change(keep_days=7, start_time="23:15-00:15", period="7,1"))
    policy = dds.show_backup_policy(ShowBackupPolicyRequest(instance_id=CUSTOMERS)).backup_policy
    [first] = automatic(dds, CUSTOMERS)
    busy = rejection(dds.create_manual_backup, new_backup(CUSTOMERS))
    cloud.advance(600)
    protected = rejection(dds.delete_manual_backup, DeleteManualBackupRequest(backup_id=first.id))

    assert (policy.keep_days, policy.start_time, policy.period) == (7, "23:15-00:15", "1,7")
    assert policy.enable_incremental_backup is False
    assert (first.status, first.deletable) == ("BUILDING", False)
    assert (busy, protected) == ((403, "DBS.200019"), (400, "DBS.212003"))


def test_changing_a_policy_makes_none_at_once(dds: Any) -> None:
    """Changing an enabled policy keeps enable_incremental_backup and starts no backup."""
    dds.set_backup_policy(
        change(ORDERS, keep_days="30", start_time="08:00-09:00", period=EVERY_DAY, enable_incremental_backup=True)
    )
    dds.set_backup_policy(change(ORDERS, keep_days=5, start_time="08:30-09:30", period=EVERY_DAY))
    policy = dds.show_backup_policy(ShowBackupPolicyRequest(instance_id=ORDERS)).backup_policy

    assert (policy.keep_days, policy.start_time, policy.enable_incremental_backup) == (5, "08:30-09:30", True)
    assert automatic(dds, ORDERS) == []


def test_turning_a_policy_off(cloud: LocalCloud, dds: Any) -> None:
    """keep_days 0 disables automatic backups, and is then the only field of the policy."""
    dds.set_backup_policy(change(ORDERS, keep_days=0))
    policy = dds.show_backup_policy(ShowBackupPolicyRequest(instance_id=ORDERS))
    cloud.advance(3 * DAY)

    assert policy.to_json_object() == {"backup_policy": {"keep_days": 0}}
    assert automatic(dds, ORDERS) == []


def test_earlier_backups_stay(cloud: LocalCloud, dds: Any) -> None:
    """A new window, rate or instance status, and disabling the policy, do not affect earlier backups."""
    cloud.advance(2 * DAY)
    before = [(one.id, one.begin_time, one.end_time) for one in automatic(dds, ORDERS)]

    cloud.switch(backup_rate=1000)
    cloud.change_instance(ORDERS, status="abnormal")
    ill = automatic(dds, ORDERS)
    cloud.advance(2 * DAY)
    cloud.change_instance(ORDERS, status="normal")
    well = automatic(dds, ORDERS)
    dds.set_backup_policy(change(ORDERS, keep_days=3, start_time="00:00-01:00", period=EVERY_DAY))
    dds.set_backup_policy(change(ORDERS, keep_days=0))
    off = automatic(dds, ORDERS)

    assert len(before) == 2
    for found in (ill, well, off):
        assert [(one.id, one.begin_time, one.end_time) for one in found] == before


def test_a_new_rate_applies_to_later_backups(cloud: LocalCloud, dds: Any) -> None:
    """A new rate does not affect backups that were due before, even if they had not been listed."""
    cloud.advance(DAY)
    cloud.switch(backup_rate=6000)
    cloud.advance(DAY)

    took = [
        (datetime.fromisoformat(one.end_time) - datetime.fromisoformat(one.begin_time)).total_seconds()
        for one in automatic(dds, ORDERS)
    ]
    assert took[0] < 2
    assert 67 <= took[1] <= 69


def test_automatic_backups_can_be_deleted_without_a_policy(cloud: LocalCloud, dds: Any) -> None:
    """Automatic backups can be deleted while the policy is disabled."""
    cloud.advance(2 * DAY)
    dds.set_backup_policy(change(ORDERS, keep_days=0))

    [newest, _] = automatic(dds, ORDERS)
    dds.delete_manual_backup(DeleteManualBackupRequest(backup_id=newest.id))
    cloud.advance(60)

    assert newest.deletable
    assert len(automatic(dds, ORDERS)) == 1


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"keep_days": -1}, "DBS.280214"),
        ({"keep_days": 733}, "DBS.280214"),
        ({}, "DBS.200001"),
        ({"keep_days": 7, "period": EVERY_DAY}, "DBS.280216"),
        ({"keep_days": 7, "period": EVERY_DAY, "start_time": "08:00"}, "DBS.280216"),
        ({"keep_days": 7, "period": EVERY_DAY, "start_time": "08:05-09:05"}, "DBS.280216"),
        ({"keep_days": 7, "period": EVERY_DAY, "start_time": "08:00-10:00"}, "DBS.280216"),
        ({"keep_days": 7, "period": EVERY_DAY, "start_time": "08:00-09:15"}, "DBS.280216"),
        ({"keep_days": 7, "start_time": "08:00-09:00"}, "DBS.280215"),
        ({"keep_days": 7, "period": "0,8", "start_time": "08:00-09:00"}, "DBS.280215"),
        ({"keep_days": 6, "period": "1,2", "start_time": "08:00-09:00"}, "DBS.280215"),
    ],
)
def test_wrong_policies(dds: Any, policy: dict[str, Any], code: str) -> None:
    """Invalid days, windows and periods are rejected with their documented codes."""
    assert rejection(dds.set_backup_policy, change(**policy)) == (400, code)


def test_automatic_backups_are_tasks(cloud: LocalCloud, dds: Any) -> None:
    """The task list contains the jobs of automatic backups."""
    cloud.advance(DAY)
    [backup] = automatic(dds, ORDERS)
    day = backup.begin_time[:10]

    tasks = dds.list_tasks(ListTasksRequest(start_time=f"{day}T00:00:00+0000", end_time=f"{day}T23:59:59+0000")).jobs

    assert ORDERS in {task.instance_id for task in tasks}
