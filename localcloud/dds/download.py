"""Links to the files of a backup (DDS API, Obtaining a Backup Download Link)."""

from localcloud.clock import text
from localcloud.dds import schemas
from localcloud.dds.errors import dds_error
from localcloud.dds.facts import BackupStatus
from localcloud.dds.state import DdsState


LINK_SECONDS = 15 * 60
BUCKET = "dds-backup-localcloud"


def link(state: DdsState, instance_id: str, backup_id: str) -> schemas.DownloadLink:
    """The link to a completed backup of an instance, good for 15 minutes. Nothing is behind it.

    Raises DBS.201214 for a backup that is unknown or not that instance's, DBS.201014 for one that is not COMPLETED.
    """
    now = state.present()
    backup = state.backup(backup_id, now)
    if backup.instance_id != instance_id:
        raise dds_error("DBS.201214")
    if backup.status(now) is not BackupStatus.COMPLETED:
        raise dds_error("DBS.201014")
    name = f"{backup.id}.tar.gz"
    return schemas.DownloadLink(
        files=[
            schemas.DownloadFile(
                name=name,
                size=backup.size_kb,
                download_link=f"https://{BUCKET}.obs.{state.region.id}.myhuaweicloud.com/{name}",
                link_expired_time=text(now + LINK_SECONDS, "%Y-%m-%dT%H:%M:%S+0000"),
            )
        ],
        bucket=BUCKET,
    )
