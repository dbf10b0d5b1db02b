"""The notification topic through the SMN SDK."""

import json

from huaweicloudsdksmn.v2 import MessageAttribute, PublishMessageRequest, PublishMessageRequestBody

from shared.backups.errors import AmbiguousError
from shared.backups.ports import Notification
from shared.cloud import operations
from shared.cloud.sdk import SdkService


class SmnTopic:
    """`shared.backups.ports.Topic` on SMN."""

    def __init__(self, service: SdkService, topic_urn: str) -> None:
        self._service = service
        self._topic_urn = topic_urn

    def publish(self, notification: Notification) -> str:
        """POST /v2/{project_id}/notifications/topics/{topic_urn}/publish (SMN API, Publishing a Message).

        Subscribers of a protocol that the message structure does not name get its default, the CloudEvent.
        """
        structure = {"default": notification.body, "email": notification.email, "sms": notification.sms}
        body = PublishMessageRequestBody(
            subject=notification.subject,
            message_structure=json.dumps(structure),
            message_attributes=[
                MessageAttribute(name=name, type="STRING", value=value)
                for name, value in notification.attributes.items()
            ],
        )
        request = PublishMessageRequest(topic_urn=self._topic_urn, body=body)
        answer = self._service.call(operations.PUBLISH_MESSAGE, request)
        if not answer.message_id:
            raise AmbiguousError(f"HTTP {answer.status_code} without a message_id", status=answer.status_code)
        return str(answer.message_id)
