"""What costs nothing while nothing happens, and what does not: data, so that a new kind is one reasoned line.

Prices are list prices of us-east-1 in November 2026, rounded; they are there to be understood, not to be billed by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Condition:
    """A property on which it depends whether a kind is free: only these literal values are."""

    path: str
    free: tuple[object, ...]
    price: str
    is_free_when_absent: bool = True


@dataclass(frozen=True)
class Free:
    """Why a kind of resource is free at rest, and on which properties that depends."""

    why: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Quota:
    """A kind that is free up to a number in an account; `counts` is how many one takes."""

    free: int
    price: str
    counts: Callable[[Properties], int]
    conditions: tuple[Condition, ...] = ()


def _without(path: str, price: str) -> Condition:
    return Condition(path, (), price)


def _on_demand(price: str) -> tuple[Condition, ...]:
    """CloudFormation provisions a table that does not say how it is billed."""
    return (Condition("BillingMode", ("PAY_PER_REQUEST",), price, is_free_when_absent=False),)


def _queue_mappings(properties: Properties) -> int:
    """Return whether a mapping is of a queue: those of streams must say where to start.

    Polling a stream is free for Lambda.
    """
    return 0 if "StartingPosition" in properties else 1


def _alarm_metrics(properties: Properties) -> int:
    """An alarm on an expression is billed as one alarm a metric in it."""
    metrics = [metric for metric in properties.get("Metrics", ()) if "MetricStat" in metric]
    return max(1, len(metrics))


_PROVISIONED_TABLE = (
    "provisioned capacity is paid by the hour, about $0.47 a write unit and month, used or not"
)
_PROVISIONED_LAMBDA = "provisioned concurrency is paid by the second, about $9 a month for each GB kept ready"

FREE: dict[str, Free] = {
    "AWS::ApiGatewayV2::Api": Free("requests, and a WebSocket's connected minutes, are billed"),
    "AWS::ApiGatewayV2::ApiMapping": Free("settings of an API"),
    "AWS::ApiGatewayV2::Authorizer": Free("settings of an API"),
    "AWS::ApiGatewayV2::Deployment": Free("settings of an API"),
    "AWS::ApiGatewayV2::DomainName": Free("a name for an API; its requests are billed"),
    "AWS::ApiGatewayV2::Integration": Free("settings of an API"),
    "AWS::ApiGatewayV2::IntegrationResponse": Free("settings of an API"),
    "AWS::ApiGatewayV2::Model": Free("settings of an API"),
    "AWS::ApiGatewayV2::Route": Free("settings of an API"),
    "AWS::ApiGatewayV2::RouteResponse": Free("settings of an API"),
    "AWS::ApiGatewayV2::Stage": Free(
        "requests are billed; HTTP and WebSocket stages have no cache to pay for"
    ),
    "AWS::CDK::Metadata": Free("a note in the template"),
    "AWS::CertificateManager::Certificate": Free(
        "public certificates that stay in AWS are free",
        (
            _without(
                "CertificateAuthorityArn", "private certificates and their authority are paid by the month"
            ),
            Condition(
                "CertificateExport", ("DISABLED",), "an exportable certificate is paid for at each issue"
            ),
        ),
    ),
    "AWS::CloudFormation::CustomResource": Free("runs while a stack is deployed, and then never"),
    "AWS::CloudFormation::Stack": Free("its resources are looked at one by one"),
    "AWS::CloudFormation::WaitConditionHandle": Free("exists while a stack is deployed"),
    "AWS::CloudFront::CachePolicy": Free("settings of a distribution"),
    "AWS::CloudFront::Distribution": Free(
        "requests and bytes are billed",
        (
            Condition(
                "DistributionConfig.ViewerCertificate.SslSupportMethod",
                ("sni-only",),
                "addresses of a distribution's own are $600 a month",
            ),
        ),
    ),
    "AWS::CloudFront::Function": Free("runs are billed"),
    "AWS::CloudFront::OriginAccessControl": Free("settings of a distribution"),
    "AWS::CloudFront::ResponseHeadersPolicy": Free("settings of a distribution"),
    "AWS::DynamoDB::GlobalTable": Free(
        "requests and stored bytes are billed", _on_demand(_PROVISIONED_TABLE)
    ),
    "AWS::DynamoDB::Table": Free("requests and stored bytes are billed", _on_demand(_PROVISIONED_TABLE)),
    "AWS::EC2::InternetGateway": Free("bytes are billed"),
    "AWS::EC2::Route": Free("settings of a network"),
    "AWS::EC2::RouteTable": Free("settings of a network"),
    "AWS::EC2::SecurityGroup": Free("settings of a network"),
    "AWS::EC2::Subnet": Free("settings of a network"),
    "AWS::EC2::SubnetRouteTableAssociation": Free("settings of a network"),
    "AWS::EC2::VPC": Free("settings of a network"),
    "AWS::EC2::VPCEndpoint": Free(
        "gateway endpoints are free",
        (
            Condition(
                "VpcEndpointType",
                ("Gateway",),
                "an endpoint is about $7.30 a month in each availability zone",
            ),
        ),
    ),
    "AWS::EC2::VPCGatewayAttachment": Free("settings of a network"),
    "AWS::Events::ApiDestination": Free("invocations are billed"),
    "AWS::Events::Archive": Free("archived bytes are billed"),
    "AWS::Events::Connection": Free("its secret is included"),
    "AWS::Events::EventBus": Free("events are billed"),
    "AWS::Events::EventBusPolicy": Free("settings of a bus"),
    "AWS::Events::Rule": Free(
        "events are billed, a schedule's own are not; a small function that one starts each minute is two cents a month"
    ),
    "AWS::IAM::ManagedPolicy": Free("IAM is free"),
    "AWS::IAM::Policy": Free("IAM is free"),
    "AWS::IAM::Role": Free("IAM is free"),
    "AWS::IAM::RolePolicy": Free("IAM is free"),
    "AWS::Lambda::Alias": Free("a name", (_without("ProvisionedConcurrencyConfig", _PROVISIONED_LAMBDA),)),
    "AWS::Lambda::EventInvokeConfig": Free("settings of a function"),
    "AWS::Lambda::Function": Free(
        "requests and running time are billed",
        (
            Condition("SnapStart.ApplyOn", ("None",), "a kept snapshot is about $4 a month for each GB"),
            _without("CapacityProviderConfig", "managed instances are EC2 instances, paid by the hour"),
        ),
    ),
    "AWS::Lambda::LayerVersion": Free("stored code is free within the account's limit"),
    "AWS::Lambda::LayerVersionPermission": Free("settings of a layer"),
    "AWS::Lambda::Permission": Free("settings of a function"),
    "AWS::Lambda::Url": Free("requests are billed as the function's"),
    "AWS::Lambda::Version": Free(
        "stored code is free within the account's limit",
        (_without("ProvisionedConcurrencyConfig", _PROVISIONED_LAMBDA),),
    ),
    "AWS::Logs::LogGroup": Free("written and stored bytes are billed"),
    "AWS::Logs::LogStream": Free("written and stored bytes are billed"),
    "AWS::Logs::MetricFilter": Free("a metric is billed for the hours in which it has values"),
    "AWS::Logs::QueryDefinition": Free("scanned bytes are billed"),
    "AWS::Logs::ResourcePolicy": Free("settings of a log group"),
    "AWS::Logs::SubscriptionFilter": Free("delivered bytes are billed"),
    "AWS::S3::Bucket": Free("requests and stored bytes are billed"),
    "AWS::S3::BucketPolicy": Free("settings of a bucket"),
    "AWS::SNS::Subscription": Free("deliveries are billed"),
    "AWS::SNS::Topic": Free("messages are billed"),
    "AWS::SNS::TopicPolicy": Free("settings of a topic"),
    "AWS::SQS::Queue": Free("requests are billed; who polls it is counted at the mapping"),
    "AWS::SQS::QueuePolicy": Free("settings of a queue"),
    "AWS::SSM::Parameter": Free(
        "standard parameters are free",
        (Condition("Tier", ("Standard",), "an advanced parameter is $0.05 a month"),),
    ),
    "AWS::Scheduler::Schedule": Free("invocations are billed, beyond 14 million a month"),
    "AWS::Scheduler::ScheduleGroup": Free("a name for schedules"),
    "AWS::StepFunctions::Activity": Free("transitions are billed"),
    "AWS::StepFunctions::StateMachine": Free("transitions, or an express machine's running time, are billed"),
    "AWS::StepFunctions::StateMachineAlias": Free("a name"),
    "AWS::StepFunctions::StateMachineVersion": Free("a kept definition is free"),
    "AWS::XRay::Group": Free("traces are billed"),
    "AWS::XRay::SamplingRule": Free("traces are billed"),
}

QUOTAS: dict[str, Quota] = {
    "AWS::CloudWatch::Alarm": Quota(
        10,
        "alarms after an account's tenth are $0.10 a month for each metric",
        _alarm_metrics,
        (
            Condition(
                "Period",
                (60, 120, 180, 240, 300, 600, 900, 1800, 3600, 21_600, 86_400),
                "an alarm that looks more often than once a minute is $0.30 a month",
            ),
        ),
    ),
    "AWS::CloudWatch::Dashboard": Quota(
        3, "dashboards after an account's third are $3 a month", lambda _properties: 1
    ),
    # Five pollers that wait 20 seconds each: 648,000 requests a month to an empty queue, and a million are free.
    "AWS::Lambda::EventSourceMapping": Quota(
        1,
        "Lambda asks an empty queue 648,000 times a month, and only the first million requests of an account are free,"
        " so a second queue's mapping is up to $0.26 a month",
        _queue_mappings,
        (_without("ProvisionedPollerConfig", "provisioned pollers are paid by the hour"),),
    ),
}

COSTLY: dict[str, str] = {
    "AWS::ACMPCA::CertificateAuthority": "a private authority is $50 to $400 a month",
    "AWS::AmazonMQ::Broker": "a broker's instances are paid by the hour",
    "AWS::AppRunner::Service": "its memory is paid by the hour, about $5 a month for each GB",
    "AWS::CloudWatch::CompositeAlarm": "$0.50 a month",
    "AWS::DAX::Cluster": "a cluster's nodes are paid by the hour",
    "AWS::DocDB::DBInstance": "an instance is paid by the hour",
    "AWS::EC2::EIP": "a public IPv4 address is about $3.65 a month",
    "AWS::EC2::Instance": "an instance is paid by the second, used or not",
    "AWS::EC2::NatGateway": "about $32.85 a month before its first byte",
    "AWS::EC2::TransitGatewayAttachment": "about $36.50 a month",
    "AWS::ECS::Service": "its tasks are paid by the second, used or not",
    "AWS::EKS::Cluster": "about $73 a month without its nodes",
    "AWS::ElastiCache::CacheCluster": "a cluster's nodes are paid by the hour",
    "AWS::ElastiCache::ReplicationGroup": "a group's nodes are paid by the hour",
    "AWS::ElastiCache::ServerlessCache": "a least amount of stored data is paid by the hour, from about $6 a month",
    "AWS::ElasticLoadBalancing::LoadBalancer": "about $18 a month before its first request",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "about $16 a month before its first request",
    "AWS::GlobalAccelerator::Accelerator": "about $18 a month before its first byte",
    "AWS::KMS::Key": "a customer-managed key is $1 a month, and $1 more after each of its first two rotations",
    "AWS::KMS::ReplicaKey": "a customer-managed key is $1 a month",
    "AWS::Kinesis::Stream": "a shard is about $11 a month, and a stream on demand about $29",
    "AWS::Lambda::CapacityProvider": "managed instances are EC2 instances, paid by the hour",
    "AWS::MSK::Cluster": "a cluster's brokers are paid by the hour",
    "AWS::MSK::ServerlessCluster": "about $550 a month before its first byte",
    "AWS::Neptune::DBInstance": "an instance is paid by the hour",
    "AWS::OpenSearchServerless::Collection": "its least capacity is paid by the hour, from about $175 a month",
    "AWS::OpenSearchService::Domain": "a domain's instances are paid by the hour",
    "AWS::RDS::DBCluster": "its instances or least capacity are paid by the hour",
    "AWS::RDS::DBInstance": "an instance is paid by the hour",
    "AWS::RDS::DBProxy": "paid by the hour for each vCPU behind it",
    "AWS::Redshift::Cluster": "a cluster's nodes are paid by the hour",
    "AWS::Route53::HostedZone": "$0.50 a month",
    "AWS::SageMaker::Endpoint": "its instances are paid by the hour",
    "AWS::SecretsManager::Secret": "$0.40 a month",
    "AWS::WAFv2::WebACL": "$5 a month, and $1 for each of its rules",
}
