"""Turn the seed into facts, at the time of the start or of a reset."""

import uuid

from localcloud.auth.credentials import AccessKey, Credentials, Token
from localcloud.dds.state import DAY, Backup, DdsState, Instance, Policy
from localcloud.seed import Seed, SeedBackup, SeedCredentials, SeedInstance, SeedPolicy, SeedTopic
from localcloud.smn.schemas import NewTopic
from localcloud.smn.service import create_topic
from localcloud.smn.state import SmnState, Subscription


GB_IN_KB = 1024**2
_NAMESPACE = uuid.UUID("f3a0b6ce-9d0f-5ab2-8f49-4d0f5f0c9a31")


def plant(seed: Seed, credentials: Credentials, dds: DdsState, smn: SmnState) -> None:
    """Fill empty state with what the seed says."""
    now = dds.present()
    _plant_credentials(seed.credentials, credentials)
    for instance in seed.instances:
        dds.instances.put(_instance(instance, now))
    for backup in seed.backups:
        dds.keep(_backup(backup, dds, now))
    for topic in seed.topics:
        _plant_topic(topic, smn)


def _plant_credentials(seed: SeedCredentials, credentials: Credentials) -> None:
    credentials.keys.put(AccessKey(seed.access_key, seed.secret_key, seed.security_token, None))
    credentials.tokens.put(Token(seed.token, None))


def _instance(seed: SeedInstance, now: float) -> Instance:
    return Instance(
        id=seed.id,
        name=seed.name,
        mode=seed.mode,
        status=seed.status,
        version=seed.version,
        created=now - seed.days_old * DAY,
        remark=seed.remark,
        data_kb=int(seed.data_gb * GB_IN_KB),
        volume_gb=seed.volume_gb,
        enterprise_project_id=seed.enterprise_project_id,
        hidden_node=seed.hidden_node,
        actions=seed.actions,
        busy_until=None if seed.busy_for is None else now + seed.busy_for,
        fails_with=seed.fails_with,
        policy=_policy(seed.backup_policy, now) if seed.backup_policy else None,
        tags=dict(seed.tags),
    )


def _policy(seed: SeedPolicy, now: float) -> Policy:
    return Policy(
        keep_days=seed.keep_days,
        start_time=seed.window(now),
        period=seed.period,
        incremental=seed.incremental,
        since=now - seed.history_days * DAY,
    )


def _backup(seed: SeedBackup, dds: DdsState, now: float) -> Backup:
    instance = dds.instances.get(seed.instance_id)
    size_kb = instance.data_kb if instance else GB_IN_KB
    return Backup(
        id=seed.id,
        name=seed.name,
        type="Manual",
        instance_id=seed.instance_id,
        instance_name=instance.name if instance else seed.instance_name,
        instance_mode=instance.mode if instance else "ReplicaSet",
        version=instance.version if instance else "4.0",
        description=seed.description,
        job_id=str(uuid.uuid5(_NAMESPACE, seed.id)),
        begin=now - seed.days_old * DAY,
        duration=max(1.0, size_kb / dds.rate_kb),
        size_kb=size_kb,
        fail_reason=seed.fails_with,
    )


def _plant_topic(seed: SeedTopic, smn: SmnState) -> None:
    topic, _ = create_topic(smn, NewTopic(name=seed.name, display_name=seed.display_name))
    for number, subscription in enumerate(seed.subscriptions):
        smn.subscriptions.put(
            Subscription(
                id=f"{topic.id}:{uuid.uuid5(_NAMESPACE, f'{topic.id}{number}').hex}",
                topic_urn=topic.id,
                protocol=subscription.protocol,
                endpoint=subscription.endpoint,
                remark=subscription.remark,
                status=1 if subscription.confirmed else 0,
            )
        )
