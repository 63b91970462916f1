"""The triggers of the small stack, as a template declares them."""

from __future__ import annotations

from typing import Any

KEEP = {"Fn::GetAtt": ["KeepFunction", "Arn"]}


def triggers() -> dict[str, Any]:
    """A rule, a queue and a bucket, each of which starts the function `keep`."""
    return {
        "FedQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "small-fed"}},
        "Feed": _resource(
            "AWS::Lambda::EventSourceMapping",
            FunctionName={"Ref": "KeepFunction"},
            EventSourceArn={"Fn::GetAtt": ["FedQueue", "Arn"]},
            BatchSize="2",
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": 2.0},
        ),
        "Told": _resource(
            "AWS::Events::Rule",
            Name="small-told",
            EventPattern={"source": ["small.template"]},
            State="ENABLED",
            Targets=[{"Id": "room", "Arn": KEEP, "RetryPolicy": {"MaximumRetryAttempts": "2"}}],
        ),
        "Nightly": _resource(
            "AWS::Scheduler::Schedule",
            Name="small-nightly",
            ScheduleExpression="cron(0 3 * * ? *)",
            State="DISABLED",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": KEEP, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}},
        ),
        "Watched": _resource(
            "AWS::S3::Bucket",
            BucketName="small-watched",
            NotificationConfiguration={
                "LambdaConfigurations": [
                    {
                        "Event": "s3:ObjectCreated:*",
                        "Function": KEEP,
                        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}},
                    }
                ]
            },
        ),
    }


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}
