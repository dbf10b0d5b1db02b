"""Tags of instances (DDS API, Tag Management)."""

import re
from dataclasses import replace

from localcloud.dds.errors import dds_error
from localcloud.dds.instance_schemas import ProjectTag, Tag
from localcloud.dds.state import DdsState


MAX_TAGS = 20
# Letters, digits, - and _, and CJK characters; a value may have dots and may be empty (Batch Tag Action).
KEY = re.compile(r"[A-Za-z0-9_\-\u4e00-\u9fff]{1,36}")
VALUE = re.compile(r"[A-Za-z0-9._\-\u4e00-\u9fff]{0,43}")


def change(state: DdsState, instance_id: str, action: str, tags: list[Tag]) -> None:
    """Create tags (replacing the values of keys that are there) or delete them by key.

    Raises DBS.280482 or 280483 for a key or value that may not be, DBS.280484 for more than 20 tags.
    """
    instance = state.instance(instance_id)
    for tag in tags:
        if not KEY.fullmatch(tag.key):
            raise dds_error("DBS.280482")
        if not VALUE.fullmatch(tag.value):
            raise dds_error("DBS.280483")
    new = {tag.key: tag.value for tag in tags}
    if action == "delete":
        kept = {key: value for key, value in instance.tags.items() if key not in new}
    else:
        kept = instance.tags | new
    if len(kept) > MAX_TAGS:
        raise dds_error("DBS.280484")
    state.instances.put(replace(instance, tags=kept))


def of_project(state: DdsState) -> list[ProjectTag]:
    """Every key in use with every value it has."""
    values: dict[str, set[str]] = {}
    for instance in state.instances:
        for key, value in instance.tags.items():
            values.setdefault(key, set()).add(value)
    return [ProjectTag(key=key, values=sorted(values[key])) for key in sorted(values)]
