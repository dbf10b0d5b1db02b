"""The official SDK as a client of a local cloud."""

from collections.abc import Callable
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkdds.v3 import CreateManualBackupOption, CreateManualBackupRequest, CreateManualBackupRequestBody

from localcloud import LocalCloud


def build(client: Any, cloud: LocalCloud, timeout: tuple[float, float] = (3, 10), **credentials: Any) -> Any:
    """An SDK client for `cloud`, with the connection's credentials unless others are given."""
    given = cloud.connection() | credentials
    basic = BasicCredentials(given["access_key"], given["secret_key"], given["project_id"])
    if given["security_token"] is not None:
        basic = basic.with_security_token(given["security_token"])
    builder = client.new_builder().with_http_config(HttpConfig(timeout=timeout))
    return builder.with_credentials(basic).with_endpoints([cloud.url]).build()


def new_backup(instance_id: str, name: str = "mybackup1", description: str | None = None) -> Any:
    """The SDK's request for a manual backup."""
    option = CreateManualBackupOption(instance_id=instance_id, name=name, description=description)
    return CreateManualBackupRequest(body=CreateManualBackupRequestBody(backup=option))


def rejection(call: Callable[..., Any], *args: Any) -> tuple[int, str]:
    """The status and code of the error that a call of the SDK raises."""
    with pytest.raises(ClientRequestException) as error:
        call(*args)
    return error.value.status_code, error.value.error_code
