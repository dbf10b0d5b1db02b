"""A document is written, backed up and lost. A restore to a new instance brings it back."""

from typing import Any

from cli.demo.stage import MINUTE, Stage, Story
from cli.event.samples import sample_event
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.seed import RWUSER
from shared.format import counted, duration, timestamp
from shared.restore import plan_restore


SOURCE = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
"""The instance customers of the seed."""
ANOTHER = "3f8a5c6e1b2d4970ad94e7f08c5b61a2in02"
"""The instance ledger of the seed, whose backup is drilled as well."""
COLLECTION = ("crm", "customers")
NUMBER = "C-4711"
COPY = "customers-copy"


def lose_and_restore(stage: Stage, create_backup: Instance) -> tuple[Story, dict[str, str]]:
    """Tell the story. Returns it with the id of the backup of each instance, SOURCE and ANOTHER."""
    story = stage.begin("A document is lost, and comes back")
    _write(stage)
    backups = _back_up(stage, create_backup)
    if len(backups) < 2:
        return story, backups
    _lose(stage)
    copy = _restore(stage, backups[SOURCE])
    if stage.is_ready(copy):
        _copy_back(stage, copy)
        stage.dds.restores.delete(copy)
        stage.wait(lambda: stage.instance(copy) is None)
        stage.tell(COPY, "is deleted, and lies in the recycle bin")
    else:
        story.failures.append(f"{COPY}: {stage.instance(copy)}, expected an instance that is normal")
    return story, backups


def _write(stage: Stage) -> None:
    from bson import ObjectId

    now = stage.now()
    document = {"_id": ObjectId.from_datetime(now), "number": NUMBER, "vip": True, "created": now}
    with stage.collection(SOURCE, *COLLECTION) as customers:
        customers.insert_one(document)
        count = customers.count_documents({})
    stage.tell("customers", f"customer {NUMBER} is written: {counted(count, 'document')} in {'.'.join(COLLECTION)}")
    stage.cloud.advance(MINUTE)


def _back_up(stage: Stage, create_backup: Instance) -> dict[str, str]:
    event = sample_event("direct", moment=stage.now())
    event["instance_ids"] = [SOURCE, ANOTHER]
    results = stage.invoke(create_backup, event).get("results", [])
    made = {result["instance_id"]: result for result in results if result["outcome"] == "CREATED"}
    stage.expect("create_backup, instances backed up", sorted(made), sorted([SOURCE, ANOTHER]))
    stage.wait(lambda: stage.is_ready(SOURCE) and stage.is_ready(ANOTHER))
    for backup in _backups(stage):
        if backup["id"] in {result["backup_id"] for result in made.values()}:
            stage.tell(backup["instance_name"], f"backup {backup['name']} is {backup['status']}")
            stage.expect(f"status of {backup['name']}", backup["status"], "COMPLETED")
    return {instance_id: result["backup_id"] for instance_id, result in made.items()}


def _lose(stage: Stage) -> None:
    with stage.collection(SOURCE, *COLLECTION) as customers:
        customers.delete_many({"number": NUMBER})
        left = customers.count_documents({})
    stage.tell("customers", f"{NUMBER} is deleted by mistake: {counted(left, 'document')} left", "red")


def _restore(stage: Stage, backup_id: str) -> str:
    """Restore a backup to a new instance. Returns its id once the restore is over."""
    source = next(instance for instance in stage.dds.list_instances() if instance.id == SOURCE)
    backup = next(backup for backup in stage.dds.list_backups() if backup.id == backup_id)
    started = stage.dds.restores.restore(plan_restore(source, COPY, backup=backup, password=RWUSER))
    stage.tell(COPY, f"DDS restores {backup.name} to this new instance; customers stays as it is")
    stage.wait(lambda: stage.is_ready(started.instance_id))
    for task in stage.dds.list_restores():
        if task.instance_id == started.instance_id and task.ended_at:
            stage.tell(COPY, f"is restored, after {duration(task.ended_at - task.created_at)}", time=task.ended_at)
    return started.instance_id


def _copy_back(stage: Stage, copy: str) -> None:
    with stage.collection(copy, *COLLECTION) as restored:
        found = restored.find_one({"number": NUMBER})
    stage.expect(f"documents {NUMBER} in {COPY}", 1 if found else 0, 1)
    if found is None:
        return
    stage.tell(COPY, f"pymongo reads {NUMBER} here, created at {timestamp(found['created'])}", "green")
    with stage.collection(SOURCE, *COLLECTION) as customers:
        customers.insert_one(found)
        same = customers.find_one({"number": NUMBER}) == found
        count = customers.count_documents({})
    stage.expect(f"{NUMBER} in customers is the document of the copy", same, expected=True)
    stage.tell("customers", f"{NUMBER} is copied back: {counted(count, 'document')}", "green")


def _backups(stage: Stage) -> list[Any]:
    return list(stage.cloud.state()["backups"])
