"""A small application, and the local cloud that it is deployed to."""

import hashlib
import io
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli.deploy.deployment import Deployment, deploy_stack
from cli.huaweicloud.access import Access
from cli.huaweicloud.keys import Keys
from cli.package.model import Package
from cli.template.load import load_template
from cli.template.model import Function
from localcloud import LocalCloud


TEMPLATE = """\
Parameters:
  Prefix: {Type: String, Default: dds}
  Password: {Type: String, NoEcho: true}
Resources:
  Topic:
    Type: HC::SMN::Topic
    Properties:
      Name: ${Prefix}-events
      DisplayName: Backups
      Subscriptions:
        - {Protocol: email, Endpoint: dba@example.com, Remark: the DBA}
  Backup:
    Type: HC::Serverless::Function
    Properties:
      FunctionName: backup
      Description: Makes backups.
      CodeUri: create_backup
      Handler: index.handler
      Initializer: index.initializer
      Runtime: Python3.10
      MemorySize: 256
      Timeout: 30
      Agency: ${Prefix}-backup
      Permissions: [DDS.ListBackups, SMN.PublishMessage]
      VpcConfig: {VpcId: v-1, SubnetId: s-1}
      Environment:
        Variables: {NOTIFY_TOPIC_URN: "${Topic}", LOG_LEVEL: INFO}
      AsyncInvoke:
        MaxRetryAttempts: 3
        OnFailure: {Destination: SMN, Param: {topic_urn: "${Topic}"}}
    Events:
      Nightly:
        Type: TIMER
        Properties:
          schedule_type: Cron
          schedule: "CRON_TZ=UTC 0 0 2 * * ?"
          user_event: '{"instance_ids": ["a89dab5e39394eccbdb77b19d57b0180in02"]}'
      Queue:
        Type: KAFKA
        Status: ACTIVE
        Properties:
          {instance_id: k-1, topic_ids: [b, a], batch_size: 100, kafka_user: me, kafka_password: "${Password}"}
"""
SECRET = "hunter2-hunter2"
SOURCE = "def handler(event, context): ...\n\n\ndef initializer(context): ...\n"


@dataclass
class App:
    """A template in a folder of its own, deployed with packages of one file each."""

    folder: Path
    access: Access
    text: str = TEMPLATE
    source: str = SOURCE
    stack: str = "dds-backup"
    values: dict[str, str] = field(default_factory=dict)

    def deployment(self) -> Deployment:
        file = self.folder / "template.yaml"
        file.write_text(self.text, encoding="utf-8")
        template = load_template(file, self.values)
        return Deployment(template, {"Password": SECRET}, self.access, self.stack, pack=self._pack)

    def deploy(self, **options: bool) -> None:
        chosen = {"prune": False, "adopt": False, "dry_run": False, "yes": True, "as_json": True} | options
        deploy_stack(self.deployment(), **chosen)

    def leave_the_vpc(self) -> None:
        """Take the function out of its VPC, and with that the trigger that needs it."""
        self.change("      VpcConfig: {VpcId: v-1, SubnetId: s-1}\n", "")
        self.text = self.text[: self.text.index("      Queue:\n")]

    def change(self, old: str, new: str) -> None:
        assert old in self.text
        self.text = self.text.replace(old, new)

    def _pack(self, functions: Sequence[Function], python: str | None) -> Mapping[str, Package]:
        return {
            function.name: self._package(function, python or function.runtime.removeprefix("Python"))
            for function in functions
        }

    def _package(self, function: Function, python: str) -> Package:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(zipfile.ZipInfo("index.py"), self.source)
        path = self.folder / f"{function.name}.zip"
        path.write_bytes(buffer.getvalue())
        digest = hashlib.sha512(buffer.getvalue()).hexdigest()
        return Package(function, python, path, path, path.stat().st_size, 1, len(self.source), digest)


@pytest.fixture(scope="session")
def _access(_shared_cloud: LocalCloud) -> Access:
    # The SDK's clients keep threads for ever, so there is one of each. A reset keeps the keys of the seed only.
    given = _shared_cloud.connection()
    keys = Keys(given["access_key"], given["secret_key"], given["security_token"], given["project_id"])
    return Access(given["region"], keys, lambda _: _shared_cloud.url, lambda _: None)


@pytest.fixture
def access(cloud: LocalCloud, _access: Access) -> Access:
    """The way into the local cloud, which is as it comes from the seed; pauses take no time."""
    return _access


@pytest.fixture
def app(access: Access, tmp_path: Path) -> App:
    """The application."""
    code = tmp_path / "create_backup"
    code.mkdir()
    (code / "index.py").write_text(textwrap.dedent(SOURCE), encoding="utf-8")
    return App(tmp_path, access)
