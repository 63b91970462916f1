"""moto calls every refusal of SQS by the name of what the client itself refuses, and sends null as the text `null`.

Where: `StateTaskServiceSqs` in moto/stepfunctions/parser/asl/component/state/exec/state_task/service/
state_task_service_sqs.py:51,95. On AWS a refusal has the name of the Java client's exception: its own where the API names it,
else `SQS.AmazonSQSException`; only what never reached a server is `SQS.SdkClientException`. moto answers for any host.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sqs import (
    StateTaskServiceSqs,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

ORIGINAL_FROM_ERROR = StateTaskServiceSqs._from_error  # noqa: SLF001 - what is mended
_BY_CLIENT = "SQS.SdkClientException"
_OURS = ("localhost", "127.0.0.1")


def install() -> None:
    """Leave out what is null, look at the host, and name refusals."""
    original = StateTaskServiceSqs._eval_service_task  # noqa: SLF001 - as above
    StateTaskServiceSqs._eval_service_task = _looking_at_the_host(original)  # noqa: SLF001 - as above
    StateTaskServiceSqs._from_error = _from_error  # noqa: SLF001 - as above
    StateTaskServiceSqs._normalise_parameters = _normalise_parameters  # noqa: SLF001 - as above


def _looking_at_the_host(original: Callable[..., None]) -> Callable[..., None]:
    def eval_service_task(task: Any, *, normalised_parameters: dict[str, Any], **named: Any) -> None:
        host = urlsplit(str(normalised_parameters.get("QueueUrl", ""))).hostname
        if host and not host.endswith((".amazonaws.com", ".amazonaws.com.cn")) and not _is_known(host):
            _fail(
                task,
                named["env"],
                _BY_CLIENT,
                f"Unable to execute HTTP request: {host}: Name or service not known",
            )
        # boto itself would refuse what is missing; on AWS the service does.
        original(task, normalised_parameters={"MessageBody": "", **normalised_parameters}, **named)

    return eval_service_task


def _normalise_parameters(task: Any, parameters: dict[str, Any], *more: Any, **named: Any) -> None:
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


def _from_error(task: Any, env: Any, ex: Exception) -> Any:
    if not isinstance(ex, ClientError):
        return ORIGINAL_FROM_ERROR(task, env=env, ex=ex)
    metadata, error = ex.response["ResponseMetadata"], ex.response["Error"]
    details = (
        f"Service: AmazonSQS; Status Code: {metadata['HTTPStatusCode']}; Error Code: {error['Code']}; "
        f"Request ID: {metadata.get('RequestId')}; Proxy: null"
    )
    return _failure(task, env, java_name(ex), f"{error['Message']} ({details})")


def java_name(ex: ClientError) -> str:
    """Name a refusal by the Java client's exception: the API's own name for it, or the one for all others."""
    kind = type(ex).__name__
    if kind == ClientError.__name__:
        return "SQS.AmazonSQSException"
    return f"SQS.{kind if kind.endswith('Exception') else kind + 'Exception'}"


def _failure(task: Any, env: Any, error: str, cause: str) -> FailureEvent:
    told = TaskFailedEventDetails(
        error=error,
        cause=cause,
        resource=task._get_sfn_resource(),  # noqa: SLF001 - as above
        resourceType=task._get_sfn_resource_type(),  # noqa: SLF001 - as above
    )
    details = EventDetails(taskFailedEventDetails=told)
    return FailureEvent(env, ErrorName(error), HistoryEventType.TaskFailed, details)


def _fail(task: Any, env: Any, error: str, cause: str) -> NoReturn:
    raise FailureEventException(_failure(task, env, error, cause))
