"""Physical names are fixed by a rule, so that stacks can speak of each other's resources without exports or cycles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """The names of one stage's resources, for the laptop, the CLI and people in the console."""

    stage: str

    def of(self, name: str) -> str:
        """Prefix a resource's own name, so that several stages live in one account."""
        return f"stepward-{self.stage}-{name}"

    def function(self, function: str) -> str:
        """Name a function's function after its folder, so that each leads to the other."""
        return self.of(function.replace("_", "-"))

    def queue(self, function: str) -> str:
        """Name a function's queue after the function that reads it."""
        return self.of(function.replace("_", "-"))

    def failures(self, function: str) -> str:
        """Name the queue of events that a function could not handle."""
        return f"{self.queue(function)}-failed"

    def rule(self, function: str, ending: str) -> str:
        """Name a rule after the function that it starts; a function may have several."""
        return f"{self.function(function)}-{ending}"

    def bus(self) -> str:
        """Name the bus on which applications put the events that start agents."""
        return self.of("events")

    def webhook_key(self) -> str:
        """Return the name of the parameter from which webhook secrets are derived."""
        return f"/stepward/{self.stage}/webhook-key"

    def provider_secrets(self) -> str:
        """Return the prefix of the secrets with keys of providers."""
        return f"stepward/{self.stage}/providers"

    def workflow_log_group(self) -> str:
        """Name the group to which workflows' machines log their failures."""
        return f"/aws/vendedlogs/states/{self.of('workflows')}"

    def schedules(self) -> str:
        """Name the group of the schedules that users make."""
        return self.of("triggers")


@dataclass(frozen=True)
class Arns:
    """The ARNs of one stage in one account.

    They are made by rule, since a role may be written before its resource exists.

    `partition`, `region` and `account` are literals, or tokens that CloudFormation fills in.
    """

    names: Names
    partition: str
    region: str
    account: str

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def parameter(self, name: str) -> str:
        """Return the ARN of a Systems Manager parameter, whose name begins with a slash."""
        return self._arn("ssm", f"parameter{name}")

    def provider_secrets(self) -> str:
        """Return the ARN of the secrets with keys of providers, which end at random."""
        return self._arn("secretsmanager", f"secret:{self.names.provider_secrets()}/*")

    def models(self) -> tuple[str, ...]:
        """Return the ARNs of Bedrock's models; a profile across regions calls its model in any."""
        foundation = f"arn:{self.partition}:bedrock:*::foundation-model/*"
        return (foundation, self._arn("bedrock", "inference-profile/*"))

    def table(self, table: str) -> str:
        """Return the ARN of a table, for the actions on its items."""
        return self._arn("dynamodb", f"table/{self.names.of(table)}")

    def index(self, table: str, index: str) -> str:
        """Return the ARN of one index; a grant on a table does not cover its indexes."""
        return f"{self.table(table)}/index/{index}"

    def streams(self, table: str) -> str:
        """Return the ARN of a table's streams, which AWS names by the time of creation."""
        return f"{self.table(table)}/stream/*"

    def data_bucket_name(self) -> str:
        """Carry the account in the bucket's name, which has to be unique in the world."""
        return f"{self.names.of('data')}-{self.account}"

    def data_bucket(self) -> str:
        """Return the ARN of the data bucket itself, for listing it."""
        return f"arn:{self.partition}:s3:::{self.data_bucket_name()}"

    def objects(self, prefix: str) -> str:
        """Return the ARN of the objects under a prefix of the data bucket."""
        return f"{self.data_bucket()}/{prefix}/*"

    def function(self, function: str) -> str:
        """Return a function's ARN without a version: callers always get the newest code."""
        return self._arn("lambda", f"function:{self.names.function(function)}")

    def foreign_function(self, name: str) -> str:
        """Return the ARN of a function of the account that is none of ours."""
        return self._arn("lambda", f"function:{name}")

    def stack(self, part: str) -> str:
        """Return the ARN prefix of a stack, whose id ends at random."""
        return self._arn("cloudformation", f"stack/{self.names.of(part)}/")

    def function_logs(self, function: str) -> str:
        """Return the ARN of the streams of a function's own log group."""
        return self._arn("logs", f"log-group:/aws/lambda/{self.names.function(function)}:*")

    def queue(self, function: str) -> str:
        """Return the ARN of the queue that a function reads."""
        return self._arn("sqs", self.names.queue(function))

    def queue_url(self, function: str) -> str:
        """Return the URL of the queue that a function reads, for its senders."""
        return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self.names.queue(function)}"

    def failures(self, function: str) -> str:
        """Return the ARN of the queue of events that a function could not handle."""
        return self._arn("sqs", self.names.failures(function))

    def rule(self, function: str, ending: str, bus: str = "default") -> str:
        """Return the ARN of one rule, which alone may start the function."""
        path = "" if bus == "default" else f"{self.names.bus()}/"
        return self._arn("events", f"rule/{path}{self.names.rule(function, ending)}")

    def default_bus(self) -> str:
        """Return the ARN of the account's own event bus."""
        return self._arn("events", "event-bus/default")

    def schedules(self) -> str:
        """Return the ARN of users' schedules, whose names are made at run time."""
        return self._arn("scheduler", f"schedule/{self.names.schedules()}/*")

    def schedule_group(self) -> str:
        """Return the ARN of the group of those schedules."""
        return self._arn("scheduler", f"schedule-group/{self.names.schedules()}")

    def schedule_role_name(self) -> str:
        """Carry the region in the role's name, for roles have the same place in every region."""
        return f"{self.names.schedules()}-{self.region}"

    def schedule_role(self) -> str:
        """Return the ARN of the role in which schedules start their function."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.schedule_role_name()}"

    def bus(self) -> str:
        """Return the ARN of the stage's own event bus."""
        return self._arn("events", f"event-bus/{self.names.bus()}")

    def workflow_machines(self, rest: str = "*") -> str:
        """Return the ARN of workflows' machines, named after what they were compiled from."""
        return self._arn("states", f"stateMachine:sw-{self.names.stage}-{rest}")

    def workflow_executions(self) -> str:
        """Return the ARN of all executions of workflows' machines."""
        return self._arn("states", f"execution:sw-{self.names.stage}-*")

    def workflow_role_name(self) -> str:
        """Carry the region in the role's name, for roles have the same place in every region."""
        return f"{self.names.of('workflows')}-{self.region}"

    def workflow_role(self) -> str:
        """Return the ARN of the role in which all workflows' machines run."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.workflow_role_name()}"

    def workflow_logs(self) -> str:
        """Return the ARN of the group to which workflows' machines log failures."""
        return self._arn("logs", f"log-group:{self.names.workflow_log_group()}:*")

    def machine(self, machine: str) -> str:
        """Return the ARN of a state machine, for starting it."""
        return self._arn("states", f"stateMachine:{self.names.of(machine)}")

    def executions(self, machine: str) -> str:
        """Return the ARN of all executions of a machine, named at run time."""
        return self._arn("states", f"execution:{self.names.of(machine)}:*")
