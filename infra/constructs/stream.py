"""A room that follows a table: it is told every change in the order of its key, and what it cannot take is kept."""

from __future__ import annotations

import json

from aws_cdk import Fn
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.function_configs import FunctionConfig
from infra.names import Arns


def stream_output(table: str) -> str:
    """Name the output by which the data stack tells a stream's ARN: AWS chooses it, so no rule can spell it."""
    return f"{table.capitalize()}Stream"


def follow(scope: Construct, spec: FunctionConfig, function: lambda_.IFunction, arns: Arns) -> None:
    """Connect a room to a table's stream.

    The ARN is read from the other stack's output at deployment; unlike an export this does not tie the stacks together.
    """
    assert spec.stream is not None
    stream = spec.stream
    pattern = lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(stream.filter))
    lambda_.CfnEventSourceMapping(
        scope,
        "Stream",
        function_name=function.function_name,
        event_source_arn=Fn.get_stack_output(arns.names.of("data"), stream_output(stream.table)),
        starting_position="TRIM_HORIZON",
        batch_size=stream.batch_size,
        maximum_batching_window_in_seconds=stream.window_s,
        parallelization_factor=stream.parallel,
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=stream.retries,
        function_response_types=["ReportBatchItemFailures"],
        filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(filters=[pattern])
        if stream.filter
        else None,
        destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=arns.failures(spec.name))
        ),
    )
