"""What a service answers instead of doing what it was asked, and what to do about it."""

import click


ADVICE = {
    400: "the service does not take what it was sent: see the message",
    401: "check the keys, the security token (temporary keys run out) and the clock of this machine; ddsbackup doctor "
    "tells which",
    403: "the user of the keys lacks the permission for this call: have an administrator grant it in IAM",
    404: "check --region and the project",
    409: "something of that name is there already, or is being changed: look at it in the console, then run again",
    429: "too many calls: wait a minute, then run again",
}
"""What to do, by HTTP status; anything else is the service's own trouble."""

NO_PERMISSION = "the function's agency lacks a permission, or got it a moment ago: wait some minutes, then run again"
ADVICE_BY_CODE = {
    "FSS.1036": "correct VpcId in the template: it is the ID of a VPC in this region and project",
    "FSS.1037": "correct SubnetId in the template: it is the network ID of a subnet of that VPC",
    "FSS.1047": "put the functions of the account into fewer VPCs",
    "FSS.1048": "put the functions of the project into fewer subnets",
    "FSS.1114": "write the VPC and subnet of the Kafka instance into VpcConfig",
    "FSS.1115": "allow the function's subnet in the security group of the Kafka instance",
    "FSS.1121": NO_PERMISSION,
    "FSS.1122": NO_PERMISSION,
}
"""What to do where the status alone misleads (FunctionGraph API, Error Codes)."""

OWN_TROUBLE = "the service has trouble of its own: run again in a while"
NO_ANSWER = "check the network, a proxy, and --region; then run again"


class ServiceError(click.ClickException):
    """A call that was refused (*status* is HTTP's, *code* the service's), or had no usable answer (*status* None)."""

    def __init__(
        self,
        operation: str,
        status: int | None,
        code: str | None,
        text: str,
        request_id: str | None = None,
        advice: str | None = None,
    ) -> None:
        self.operation = operation
        self.status = status
        self.code = code
        self.text = text
        self.request_id = request_id
        refused = f"{code or 'no code'} (HTTP {status}): {text}"
        traced = f" [request {request_id}]" if request_id else ""
        self.reason = (refused if status else text) + traced
        by_status = NO_ANSWER if status is None else ADVICE.get(status, OWN_TROUBLE)
        self.advice = advice or ADVICE_BY_CODE.get(code or "", by_status)
        super().__init__(f"{operation}: {self.reason}\nWhat to do: {self.advice}")

    @property
    def is_passing(self) -> bool:
        """Whether the same call may well be answered a little later."""
        return self.status is None or self.status == 429 or self.status >= 500
