"""The bodies of calls about asynchronous configurations (FunctionGraph API, Asynchronous Execution Notification)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class DestinationConfig(BaseModel):
    """`param` is a JSON object with bucket (OBS), topic_urn (SMN), stream_name (DIS) or func_urn (FunctionGraph)."""

    destination: Literal["OBS", "SMN", "DIS", "FunctionGraph"] | None = None
    param: str | None = None


class DestinationConfigs(BaseModel):
    on_success: DestinationConfig | None = None
    on_failure: DestinationConfig | None = None


class NewAsyncConfig(BaseModel):
    """The age is in seconds."""

    max_async_event_age_in_seconds: Annotated[int, Field(strict=True, ge=1, le=86_400)] = 3600
    max_async_retry_attempts: Annotated[int, Field(strict=True, ge=0, le=3)] = 1
    destination_config: DestinationConfigs | None = None
    enable_async_status_log: Annotated[bool | None, Field(strict=True)] = None


class AsyncConfig(BaseModel):
    """How the events that a function gets asynchronously are treated."""

    func_urn: str
    max_async_event_age_in_seconds: int
    max_async_retry_attempts: int
    destination_config: DestinationConfigs
    created_time: str
    last_modified: str
    enable_async_status_log: bool


class PageInfo(BaseModel):
    next_marker: int
    previous_marker: int
    current_count: int


class AsyncConfigs(BaseModel):
    async_invoke_configs: list[AsyncConfig]
    count: int
    page_info: PageInfo
