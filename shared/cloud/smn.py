"""SMN through its SDK: publishing to a topic."""

import json

from huaweicloudsdksmn.v2 import MessageAttribute, PublishMessageRequest, PublishMessageRequestBody

from shared.cloud import operations
from shared.cloud.sdk import SdkService
from shared.errors import AmbiguousError
from shared.model import Notification


class SmnTopic:
    """Implements `shared.model.Topic`."""

    def __init__(self, service: SdkService, topic_urn: str) -> None:
        self._service = service
        self._topic_urn = topic_urn

    def publish(self, notification: Notification) -> str:
        """POST /v2/{project_id}/notifications/topics/{topic_urn}/publish (SMN API, Publishing a Message).

        Subscribers of other protocols than e-mail and SMS receive the default, the CloudEvent.
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
