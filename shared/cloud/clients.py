"""The SDK's clients of the services that are called."""

from huaweicloudsdkdds.v3 import DdsClient
from huaweicloudsdksmn.v2 import SmnClient

from shared.backups.ports import Clock
from shared.cloud.sdk import HttpLimits, SdkService


def dds_service(endpoint: str, project_id: str, limits: HttpLimits, clock: Clock) -> SdkService:
    """Document Database Service."""
    return SdkService(DdsClient, endpoint, project_id, limits, clock)


def smn_service(endpoint: str, project_id: str, limits: HttpLimits, clock: Clock) -> SdkService:
    """Simple Message Notification."""
    return SdkService(SmnClient, endpoint, project_id, limits, clock)
