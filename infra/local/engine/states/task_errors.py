"""Patches of the errors of tasks' calls: the names that Step Functions gives them."""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import botocore.exceptions
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sqs import (
    StateTaskServiceSqs,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment

from infra.local import account
from infra.local.engine.clients import client_for
from infra.local.engine.states import failures

_UNQUALIFIED = re.compile(r"^(Function not found: arn:aws[a-z-]*:lambda:[^:]*:\d+:function:[^:\s]+)(?=\s|$)")
ORIGINAL_TASK_REFUSALS = StateTaskServiceLambda._error_cause_from_client_error  # noqa: SLF001 - what is patched


def install_task_refusals() -> None:
    """Name errors of Lambda's client as AWS does.

    moto names a refused invocation by its error code, where Step Functions has one name for what Lambda's client throws.

    Where: `StateTaskServiceLambda._error_cause_from_client_error` in
    moto/stepfunctions/parser/asl/component/state/exec/state_task/service/state_task_service_lambda.py. On AWS a machine whose
    role may not invoke a function fails with `Lambda.AWSLambdaException`, which retriers list; moto says
    `Lambda.AccessDeniedException`. Step Functions invokes `$LATEST` by default, so a missing function is named with it.
    """
    StateTaskServiceLambda._error_cause_from_client_error = staticmethod(_error_and_cause)  # noqa: SLF001


def _error_and_cause(client_error: ClientError) -> tuple[str, str]:
    error, cause = ORIGINAL_TASK_REFUSALS(client_error)
    cause = _UNQUALIFIED.sub(r"\1:$LATEST", cause)
    return ("Lambda.AWSLambdaException" if error == "Lambda.AccessDeniedException" else error), cause


ORIGINAL_SDK_ERRORS = StateTaskServiceAwsSdk._eval_service_task  # noqa: SLF001 - what is patched
ORIGINAL_FROM_ERROR_SDK_ERRORS = StateTaskServiceAwsSdk._from_error  # noqa: SLF001 - as above
_ATTEMPTS = "(SDK Attempt Count: 1)"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+")
_REFUSED_BY_BOTO = (botocore.exceptions.BotoCoreError, TypeError, ValueError, AttributeError)


def install_sdk_errors() -> None:
    """Name errors of `aws-sdk` tasks after the Java clients.

    moto names errors of `aws-sdk` tasks after the service's name in the ARN, so that a Catch written for AWS never matches.

    Where: `_normalise_service_error_name` and `_from_error` in
    moto/stepfunctions/parser/asl/component/state/exec/state_task/service/state_task_service_aws_sdk.py:55,85. AWS has the
    names of its Java clients: `S3.NoSuchKeyException`, `SecretsManager.…`, `DynamoDb.DynamoDbException`. What boto itself
    refuses (a wrong type, say) ends as States.Runtime with moto; on AWS the service refuses it. Causes end with the number of
    attempts, and those of S3 have a second id, which moto does not send.
    """
    StateTaskServiceAwsSdk._normalise_service_error_name = staticmethod(java_service_name)  # noqa: SLF001 - as above
    StateTaskServiceAwsSdk._eval_service_task = _eval_service_task  # noqa: SLF001 - as above
    StateTaskServiceAwsSdk._from_error = _sdk_failure  # noqa: SLF001 - as above


def java_service_name(service: str) -> str:
    """Return a service's name in the Java clients: its id's words, each with one capital."""
    boto_name = {"sfn": "stepfunctions", "states": "stepfunctions"}.get(service, service)
    try:
        service_id = client_for(account.REGION, boto_name).meta.service_model.service_id
    except botocore.exceptions.UnknownServiceError:
        service_id = service
    return "".join(word.capitalize() for word in _WORD.findall(service_id))


def _sdk_failure(task: StateTaskServiceAwsSdk, env: Environment, ex: Exception) -> FailureEvent:
    if not isinstance(ex, botocore.exceptions.ClientError):
        return ORIGINAL_FROM_ERROR_SDK_ERRORS(task, env=env, ex=ex)
    if task.resource.api_name == "s3":
        ex.response["ResponseMetadata"].setdefault("HostId", uuid.uuid4().hex)
    failure = ORIGINAL_FROM_ERROR_SDK_ERRORS(task, env=env, ex=ex)
    details = failure.event_details["taskFailedEventDetails"]
    details["cause"] = f"{details['cause']} {_ATTEMPTS}"
    return failure


def _eval_service_task(task: StateTaskServiceAwsSdk, env: Environment, *args: Any, **named: Any) -> None:
    try:
        ORIGINAL_SDK_ERRORS(task, env, *args, **named)
    except _REFUSED_BY_BOTO as error:
        name = java_service_name(task.resource.api_name)
        cause = f"{error} (Service: {name}, Status Code: 400, Request ID: {uuid.uuid4()}) {_ATTEMPTS}"
        failure = task._get_task_failure_event(env=env, error=f"{name}.{name}Exception", cause=cause)  # noqa: SLF001
        raise FailureEventException(failure) from error


ORIGINAL_FROM_ERROR_QUEUE_TASKS = StateTaskServiceSqs._from_error  # noqa: SLF001 - what is patched
_BY_CLIENT = "SQS.SdkClientException"
_OURS = ("localhost", "127.0.0.1")


def install_queue_tasks() -> None:
    """Drop null parameters, resolve the host, and name errors of SQS as AWS does.

    moto gives every error of SQS the name of an error of the client itself, and sends null as the text `null`.

    Where: `StateTaskServiceSqs` in moto/stepfunctions/parser/asl/component/state/exec/state_task/service/
    state_task_service_sqs.py:51,95. On AWS an error has the name of the Java client's exception: its own where the API declares it,
    else `SQS.AmazonSQSException`; only a request that reached no server is `SQS.SdkClientException`. moto answers for any host.
    """
    original = StateTaskServiceSqs._eval_service_task  # noqa: SLF001 - as above
    StateTaskServiceSqs._eval_service_task = _resolving_the_host(original)  # noqa: SLF001 - as above
    StateTaskServiceSqs._from_error = _queue_failure  # noqa: SLF001 - as above
    StateTaskServiceSqs._normalise_parameters = _normalise_parameters  # noqa: SLF001 - as above


def _resolving_the_host(original: Callable[..., None]) -> Callable[..., None]:
    def eval_service_task(
        task: StateTaskServiceSqs, *, normalised_parameters: dict[str, Any], **named: Any
    ) -> None:
        host = urlsplit(str(normalised_parameters.get("QueueUrl", ""))).hostname
        if host and not host.endswith((".amazonaws.com", ".amazonaws.com.cn")) and not _is_known(host):
            cause = f"Unable to execute HTTP request: {host}: Name or service not known"
            failure = failures.task_failed(task, named["env"], ErrorName(_BY_CLIENT), cause)
            raise FailureEventException(failure)
        # boto itself would refuse a missing body; on AWS the service does.
        original(task, normalised_parameters={"MessageBody": "", **normalised_parameters}, **named)

    return eval_service_task


def _normalise_parameters(
    task: StateTaskServiceSqs, parameters: dict[str, Any], *more: Any, **named: Any
) -> None:
    for name in [name for name, value in parameters.items() if value is None]:
        del parameters[name]
    StateTaskService._normalise_parameters(task, parameters, *more, **named)  # noqa: SLF001 - as above


def _is_known(host: str) -> bool:
    if host in _OURS:
        return True
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def _queue_failure(task: StateTaskServiceSqs, env: Environment, ex: Exception) -> FailureEvent:
    if not isinstance(ex, ClientError):
        return ORIGINAL_FROM_ERROR_QUEUE_TASKS(task, env=env, ex=ex)
    metadata, error = ex.response["ResponseMetadata"], ex.response["Error"]
    details = (
        f"Service: AmazonSQS; Status Code: {metadata['HTTPStatusCode']}; Error Code: {error['Code']}; "
        f"Request ID: {metadata.get('RequestId')}; Proxy: null"
    )
    cause = f"{error['Message']} ({details})"
    return failures.task_failed(task, env, ErrorName(java_error_name(ex)), cause)


def java_error_name(ex: ClientError) -> str:
    """Return the Java client's name of an error: the API's own, or the one for all others."""
    kind = type(ex).__name__
    if kind == ClientError.__name__:
        return "SQS.AmazonSQSException"
    return f"SQS.{kind if kind.endswith('Exception') else kind + 'Exception'}"
