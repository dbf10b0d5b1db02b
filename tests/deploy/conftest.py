"""A small application, deployed to the local cloud."""

import hashlib
import io
import json
import sys
import textwrap
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cli.deploy.deployment import Deployment, deploy_stack, look_up, services
from cli.huaweicloud.access import Access, Keys
from cli.package import build
from cli.package.bytecode import find_interpreter
from cli.package.model import Package, PackagingFailed
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
      Permissions: [DDS.CreateManualBackup, DDS.ListBackups, DDS.ListInstances, DDS.ListTasks, SMN.PublishMessage]
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
PYTHON = "3.10"
"""The Runtime of the template."""
SECRET = "hunter2-hunter2"
WRITES = {"POST", "PUT", "PATCH", "DELETE"}
Output = Callable[[], Any]
SOURCE = "def handler(event, context): ...\n\n\ndef initializer(context): ...\n"


@dataclass
class App:
    """A template in its own folder, deployed with packages of one file each."""

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
        """Remove the function's VPC, and the trigger that needs it, from the template."""
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
def _access(local_cloud_server: LocalCloud) -> Access:
    # The SDK's clients never end their threads, so all tests share them. A reset keeps the keys of the seed.
    given = local_cloud_server.connection()
    keys = Keys(given["access_key"], given["secret_key"], given["security_token"], given["project_id"])
    return Access(given["region"], keys, lambda _: local_cloud_server.url, lambda _: None)


@pytest.fixture
def access(cloud: LocalCloud, _access: Access) -> Access:
    """Access to the local cloud, which is reset to its seed. Pauses take no time."""
    return _access


@pytest.fixture
def app(access: Access, tmp_path: Path) -> App:
    """The application, not deployed yet."""
    code = tmp_path / "create_backup"
    code.mkdir()
    (code / "index.py").write_text(textwrap.dedent(SOURCE), encoding="utf-8")
    return App(tmp_path, access)


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str]) -> Output:
    """Read the JSON document that the last run printed. No output may hold the secret."""

    def read() -> Any:
        out, err = capsys.readouterr()
        assert SECRET not in out + err
        return json.loads(out)

    return read


@pytest.fixture
def deployed(app: App, document: Output) -> App:
    """The application, deployed."""
    app.deploy()
    assert {change["state"] for change in document()["changes"]} == {"done"}
    return app


def steps(document: Any) -> list[tuple[str, str]]:
    """Action and kind of each change in a document."""
    return [(change["action"], change["kind"]) for change in document["changes"]]


def writes(cloud: LocalCloud) -> list[str]:
    """Method and last part of the path of every call that may change something, without searches by tag."""
    return [
        f"{call['method']} {call['path'].rpartition('/')[2]}"
        for call in cloud.requests()
        if call["method"] in WRITES and not call["path"].endswith("resource_instances/action")
    ]


def kinds_there(app: App) -> list[str]:
    """The kind of every resource of the stack."""
    found = look_up(services(app.access, app.stack), app.stack)
    return [item.resource.kind.value for item in found if item.stack == app.stack]


def python_of_the_local_cloud() -> str:
    """The Python that runs the function: the template's if this machine has it, or else the running one."""
    try:
        find_interpreter(PYTHON)
    except PackagingFailed:
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    return PYTHON


@pytest.fixture
def quick_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Create the packages once, for the Python that runs them, and without byte code, which takes long."""
    whole = build.build_packages
    made: list[Package] = []

    def quick(functions: Sequence[Function], **options: Any) -> tuple[Package, ...]:
        if not made:
            options |= {"python": python_of_the_local_cloud(), "with_byte_code": False}
            made.extend(replace(package, python=PYTHON) for package in whole(functions, **options))
        return tuple(made)

    monkeypatch.setattr("cli.deploy.deployment.build_packages", quick)
