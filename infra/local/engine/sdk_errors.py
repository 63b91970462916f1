"""moto calls errors of `aws-sdk` tasks by the service's name in the ARN, so that a Catch written for AWS never fires.

Where: `_normalise_service_error_name` and `_from_error` in
moto/stepfunctions/parser/asl/component/state/exec/state_task/service/state_task_service_aws_sdk.py:55,85. AWS has the
names of its Java clients: `S3.NoSuchKeyException`, `SecretsManager.…`, `DynamoDb.DynamoDbException`. What boto itself
refuses (a wrong type, say) ends as States.Runtime with moto; on AWS the service refuses it. Causes end with the number of
attempts, and those of S3 have a second id, which moto does not send.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import botocore.exceptions
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)

from infra.local import account
from infra.local.engine.client_cache import client_for

ORIGINAL = StateTaskServiceAwsSdk._eval_service_task  # noqa: SLF001 - what is mended
ORIGINAL_FROM_ERROR = StateTaskServiceAwsSdk._from_error  # noqa: SLF001 - as above
_ATTEMPTS = "(SDK Attempt Count: 1)"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+")
_REFUSED_BY_BOTO = (botocore.exceptions.BotoCoreError, TypeError, ValueError, AttributeError)


def install() -> None:
    """Use the names of the Java clients."""
    StateTaskServiceAwsSdk._normalise_service_error_name = staticmethod(java_name)  # noqa: SLF001 - as above
    StateTaskServiceAwsSdk._eval_service_task = _eval_service_task  # noqa: SLF001 - as above
    StateTaskServiceAwsSdk._from_error = _from_error  # noqa: SLF001 - as above


def java_name(service: str) -> str:
    """Spell a service as the Java clients do: the service id's words, each with one capital."""
    boto_name = {"sfn": "stepfunctions", "states": "stepfunctions"}.get(service, service)
    try:
        service_id = client_for(account.REGION, boto_name).meta.service_model.service_id
    except botocore.exceptions.UnknownServiceError:
        service_id = service
    return "".join(word.capitalize() for word in _WORD.findall(service_id))


def _from_error(task: Any, env: Any, ex: Exception) -> Any:
    if not isinstance(ex, botocore.exceptions.ClientError):
        return ORIGINAL_FROM_ERROR(task, env=env, ex=ex)
    if task.resource.api_name == "s3":
        ex.response["ResponseMetadata"].setdefault("HostId", uuid.uuid4().hex)
    failure = ORIGINAL_FROM_ERROR(task, env=env, ex=ex)
    told = failure.event_details["taskFailedEventDetails"]
    told["cause"] = f"{told['cause']} {_ATTEMPTS}"
    return failure


def _eval_service_task(task: Any, env: Any, *args: Any, **named: Any) -> None:
    try:
        ORIGINAL(task, env, *args, **named)
    except _REFUSED_BY_BOTO as error:
        name = java_name(task.resource.api_name)
        cause = f"{error} (Service: {name}, Status Code: 400, Request ID: {uuid.uuid4()}) {_ATTEMPTS}"
        failure = task._get_task_failure_event(env=env, error=f"{name}.{name}Exception", cause=cause)  # noqa: SLF001
        raise FailureEventException(failure) from error
