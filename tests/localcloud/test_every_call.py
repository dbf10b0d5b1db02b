"""The official SDK, unmodified, makes every call of DDS, SMN, FunctionGraph and IAM that the local cloud offers."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import huaweicloudsdkdds.v3 as dds_sdk
import huaweicloudsdkfunctiongraph.v2 as functiongraph_sdk
import huaweicloudsdksmn.v2 as smn_sdk
import pytest

from localcloud import LocalCloud
from tests.localcloud import instances_sdk
from tests.localcloud.functions import async_config, new_code, new_config, new_function, new_trigger, package
from tests.localcloud.iam_sdk import call_every_iam
from tests.localcloud.sdk import new_backup


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"


def call_dds(cloud: LocalCloud, client: Any) -> None:
    """Make every DDS call once, successfully."""
    created = client.create_manual_backup(new_backup(ORDERS))
    client.list_backups(dds_sdk.ListBackupsRequest(instance_id=ORDERS))
    client.show_job_detail(dds_sdk.ShowJobDetailRequest(id=created.job_id))
    client.stop_backup(
        dds_sdk.StopBackupRequest(backup_id=created.backup_id, body=dds_sdk.StopBackupRequestBody(action="stop"))
    )
    client.delete_manual_backup(dds_sdk.DeleteManualBackupRequest(backup_id=created.backup_id))
    kept = client.list_backups(dds_sdk.ListBackupsRequest(instance_id=CUSTOMERS)).backups[0].id
    client.show_backup_download_link(dds_sdk.ShowBackupDownloadLinkRequest(instance_id=CUSTOMERS, backup_id=kept))
    client.batch_delete_backup(
        dds_sdk.BatchDeleteBackupRequest(body=dds_sdk.BatchDeleteBackupRequestBody(backup_ids=[kept]))
    )
    now = datetime.now(timezone.utc)
    begin, end = (f"{time:%Y-%m-%dT%H:%M:%S}+0000" for time in (now - timedelta(days=1), now + timedelta(hours=1)))
    client.list_tasks(dds_sdk.ListTasksRequest(start_time=begin, end_time=end))
    client.list_instances(dds_sdk.ListInstancesRequest())
    client.list_instances_by_tags(
        dds_sdk.ListInstancesByTagsRequest(body=dds_sdk.ListInstancesByTagsRequestBody(action="count"))
    )
    tags = [dds_sdk.TagItem(key="a", value="b")]
    client.batch_tag_action(
        dds_sdk.BatchTagActionRequest(
            instance_id=ORDERS, body=dds_sdk.BatchOperateInstanceTagRequestBody(action="create", tags=tags)
        )
    )
    client.list_instance_tags(dds_sdk.ListInstanceTagsRequest(instance_id=ORDERS))
    client.list_project_tags(dds_sdk.ListProjectTagsRequest())
    client.show_quotas(dds_sdk.ShowQuotasRequest())
    call_instances(cloud, client)
    client.show_backup_policy(dds_sdk.ShowBackupPolicyRequest(instance_id=ORDERS))
    client.set_backup_policy(
        dds_sdk.SetBackupPolicyRequest(
            instance_id=ORDERS,
            body=dds_sdk.SetBackupPolicyRequestBody(backup_policy=dds_sdk.BackupPolicy(keep_days="0")),
        )
    )


def call_instances(cloud: LocalCloud, client: Any) -> None:
    """Make every DDS call once, successfully, that creates, restores, operates or deletes an instance."""
    instance_id = client.create_instance(instances_sdk.creation(backup_strategy=None)).id
    cloud.advance(7200)
    one = {"instance_id": instance_id}
    client.list_databases(dds_sdk.ListDatabasesRequest(**one))
    last = datetime.now(timezone.utc).timestamp() + cloud.clock_offset()
    at = {**one, "restore_time": str(int(last - last % 300) * 1000)}
    client.list_restore_databases(dds_sdk.ListRestoreDatabasesRequest(**at))
    client.list_restore_collections(dds_sdk.ListRestoreCollectionsRequest(**at, db_name="app"))
    client.list_restore_times(dds_sdk.ListRestoreTimesRequest(**one, date="2026-01-01"))
    client.update_instance_name(
        dds_sdk.UpdateInstanceNameRequest(**one, body=dds_sdk.UpdateNameRequestBody(new_instance_name="renamed"))
    )
    client.reset_password(instances_sdk.password(instance_id))
    cloud.advance(60)
    instances_sdk.restart(client, instance_id)
    cloud.advance(600)
    backup_id = client.create_manual_backup(new_backup(instance_id)).backup_id
    cloud.advance(600)
    source, target = dds_sdk.Source(**one, backup_id=backup_id), dds_sdk.Target(**one)
    client.restore_instance(
        dds_sdk.RestoreInstanceRequest(body=dds_sdk.RestoreInstanceRequestBody(source=source, target=target))
    )
    cloud.advance(600)
    instances_sdk.delete(client, instance_id)
    client.list_recycle_instances(dds_sdk.ListRecycleInstancesRequest())
    client.show_recycle_policy(dds_sdk.ShowRecyclePolicyRequest())
    policy = dds_sdk.RecyclePolicyRequestBody(dds_sdk.RecyclePolicy(enabled=True, retention_period_in_days=3))
    client.set_recycle_policy(dds_sdk.SetRecyclePolicyRequest(body=policy))
    client.list_flavor_infos(dds_sdk.ListFlavorInfosRequest())
    client.list_flavors(dds_sdk.ListFlavorsRequest())
    client.list_datastore_versions(dds_sdk.ListDatastoreVersionsRequest(datastore_name="DDS-Community"))


def call_smn(client: Any) -> None:
    """Make every SMN call once, successfully."""
    topic = client.create_topic(
        smn_sdk.CreateTopicRequest(body=smn_sdk.CreateTopicRequestBody(name="every-call", display_name="Every call"))
    ).topic_urn
    client.list_topics(smn_sdk.ListTopicsRequest())
    topic_id = client.list_topics(smn_sdk.ListTopicsRequest(name="every-call")).topics[0].topic_id
    tagged: dict[str, Any] = {"resource_type": "smn_topic", "resource_id": topic_id}
    client.create_resource_tag(
        smn_sdk.CreateResourceTagRequest(
            **tagged, body=smn_sdk.CreateResourceTagRequestBody(tag=smn_sdk.ResourceTag(key="a", value="b"))
        )
    )
    client.list_resource_tags(smn_sdk.ListResourceTagsRequest(**tagged))
    client.list_resource_instances(
        smn_sdk.ListResourceInstancesRequest(
            resource_type="smn_topic", body=smn_sdk.ListInstanceRequestBody(action="count", tags=[])
        )
    )
    client.list_topic_details(smn_sdk.ListTopicDetailsRequest(topic_urn=topic))
    client.update_topic(
        smn_sdk.UpdateTopicRequest(topic_urn=topic, body=smn_sdk.UpdateTopicRequestBody(display_name="x"))
    )
    subscription = client.add_subscription(
        smn_sdk.AddSubscriptionRequest(
            topic_urn=topic, body=smn_sdk.AddSubscriptionRequestBody(protocol="sms", endpoint="+491234567")
        )
    ).subscription_urn
    client.list_subscriptions(smn_sdk.ListSubscriptionsRequest())
    client.list_subscriptions_by_topic(smn_sdk.ListSubscriptionsByTopicRequest(topic_urn=topic))
    client.publish_message(
        smn_sdk.PublishMessageRequest(topic_urn=topic, body=smn_sdk.PublishMessageRequestBody(message="hello"))
    )
    one = {"subscription_urn": subscription, "filter_polices": [{"name": "a", "string_equals": ["b"]}]}
    polices = {"polices": [one]}
    client.batch_create_subscriptions_filter_polices(smn_sdk.BatchCreateSubscriptionsFilterPolicesRequest(body=polices))
    client.batch_update_subscriptions_filter_polices(smn_sdk.BatchUpdateSubscriptionsFilterPolicesRequest(body=polices))
    client.batch_delete_subscriptions_filter_polices(
        smn_sdk.BatchDeleteSubscriptionsFilterPolicesRequest(body={"subscription_urns": [subscription]})
    )
    client.cancel_subscription(smn_sdk.CancelSubscriptionRequest(subscription_urn=subscription))
    client.delete_topic(smn_sdk.DeleteTopicRequest(topic_urn=topic))


def call_functiongraph(client: Any) -> None:
    """Make every FunctionGraph call once, successfully."""
    sdk = functiongraph_sdk
    urn = client.create_function(new_function()).func_urn
    client.list_functions(sdk.ListFunctionsRequest())
    client.show_function_config(sdk.ShowFunctionConfigRequest(function_urn=urn))
    client.update_function_config(new_config(urn))
    client.show_function_code(sdk.ShowFunctionCodeRequest(function_urn=urn))
    client.update_function_code(new_code(urn, package()))
    client.list_quotas(sdk.ListQuotasRequest())
    client.invoke_function(sdk.InvokeFunctionRequest(function_urn=urn, body={}, x_cff_request_version="v1"))
    client.async_invoke_function(sdk.AsyncInvokeFunctionRequest(function_urn=urn, body={}))
    client.update_function_async_invoke_config(async_config(urn))
    client.show_function_async_invoke_config(sdk.ShowFunctionAsyncInvokeConfigRequest(function_urn=urn))
    client.list_function_async_invoke_config(sdk.ListFunctionAsyncInvokeConfigRequest(function_urn=urn))
    client.delete_function_async_invoke_config(sdk.DeleteFunctionAsyncInvokeConfigRequest(function_urn=urn))
    trigger = client.create_function_trigger(
        new_trigger(urn, "TIMER", name="a-timer", schedule_type="Rate", schedule="30d")
    )
    client.list_function_triggers(sdk.ListFunctionTriggersRequest(function_urn=urn))
    one = {"function_urn": urn, "trigger_type_code": "TIMER", "trigger_id": trigger.trigger_id}
    client.show_function_trigger(sdk.ShowFunctionTriggerRequest(**one))
    client.update_trigger(sdk.UpdateTriggerRequest(**one, body=sdk.UpdateTriggerRequestBody(trigger_status="DISABLED")))
    client.delete_function_trigger(sdk.DeleteFunctionTriggerRequest(**one))
    client.batch_delete_function_triggers(sdk.BatchDeleteFunctionTriggersRequest(function_urn=urn))
    client.delete_function(sdk.DeleteFunctionRequest(function_urn=urn.removesuffix(":latest")))


def offered(cloud: LocalCloud) -> set[tuple[str, str]]:
    """Method and path of every operation in the OpenAPI document, without /_local."""
    paths = httpx.get(f"{cloud.url}/openapi.json", trust_env=False).json()["paths"]
    return {
        (method.upper(), path)
        for path, operations in paths.items()
        for method in operations
        if not path.startswith("/_local")
    }


@pytest.mark.filterwarnings("ignore:Unable to convert string to datetime")  # the SDK, without python-dateutil
@pytest.mark.filterwarnings("ignore:Method 'list_flavors'")
def test_every_call(cloud: LocalCloud, dds: Any, smn: Any, functiongraph: Any, iam: Any, iam5: Any) -> None:
    """The SDKs call exactly the operations of the OpenAPI document, and each succeeds."""
    call_dds(cloud, dds)
    call_smn(smn)
    call_functiongraph(functiongraph)
    call_every_iam(cloud, iam, iam5)

    operations = offered(cloud)
    forms = {path: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))) for _, path in operations}
    made = set()
    for call in cloud.requests():
        assert call["status"] in {200, 201, 202, 204}
        fitting = [path for path, form in forms.items() if form.fullmatch(call["path"])]
        # A literal segment takes precedence over a parameter: /backups/download-file, not /backups/{backup_id}.
        made.add((call["method"], min(fitting, key=lambda path: path.count("{"))))
    assert made == operations
