"""Publishing to SMN, through the official SDK."""

from localcloud import LocalCloud
from shared.model import Notification
from tests.cloud.conftest import Adapters


NOTE = Notification("subject", '{"a": 1}', "for people", "short", {"event_type": "dds_backup_started"})


def test_each_protocol_gets_its_form_of_the_message(cloud: LocalCloud, adapters: Adapters) -> None:
    """An e-mail has the text for people, a text message the short one, and other subscribers get the CloudEvent."""
    message_id = adapters.topic.publish(NOTE)

    (message,) = cloud.messages()
    assert message["message_id"] == message_id
    assert message["subject"] == "subject"
    assert message["message"] == '{"a": 1}'
    assert message["message_attributes"] == [{"name": "event_type", "type": "STRING", "value": "dds_backup_started"}]
    said = {delivery["protocol"]: str(delivery["content"]) for delivery in message["deliveries"]}
    assert "for people" in said["email"]
    assert "short" in said["sms"]
    assert "{" in said["https"]
