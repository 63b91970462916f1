"""Physical names are fixed by a rule, so that stacks can speak of each other's resources without exports or cycles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """The names of one stage's resources; the laptop, the CLI and people in the AWS console rely on this rule."""

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
        """Name the parameter from which the secrets of webhooks are derived; it is made with the first of them."""
        return f"/stepward/{self.stage}/webhook-key"

    def provider_secrets(self) -> str:
        """Name what the secrets begin with that hold keys of providers; they are made when the operator sets a key."""
        return f"stepward/{self.stage}/providers"

    def workflow_log_group(self) -> str:
        """Name the group to which workflows' machines log their failures."""
        return f"/aws/vendedlogs/states/{self.of('workflows')}"

    def schedules(self) -> str:
        """Name the group of the schedules that users make."""
        return self.of("triggers")


@dataclass(frozen=True)
class Arns:
    """The ARNs of one stage in one account, spelt by rule because a role may be written before its resource exists.

    `partition`, `region` and `account` are literals, or tokens that CloudFormation fills in.
    """

    names: Names
    partition: str
    region: str
    account: str

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def parameter(self, name: str) -> str:
        """Spell a parameter of Systems Manager, whose names begin with a slash."""
        return self._arn("ssm", f"parameter{name}")

    def provider_secrets(self) -> str:
        """Spell the secrets that hold keys of providers; Secrets Manager gives each a random ending."""
        return self._arn("secretsmanager", f"secret:{self.names.provider_secrets()}/*")

    def models(self) -> tuple[str, ...]:
        """Spell the models on Bedrock; a profile across regions calls its model in any of them."""
        foundation = f"arn:{self.partition}:bedrock:*::foundation-model/*"
        return (foundation, self._arn("bedrock", "inference-profile/*"))

    def table(self, table: str) -> str:
        """Spell a table, for the actions on its items."""
        return self._arn("dynamodb", f"table/{self.names.of(table)}")

    def index(self, table: str, index: str) -> str:
        """Spell one index of a table, because a grant on a table does not cover its indexes."""
        return f"{self.table(table)}/index/{index}"

    def streams(self, table: str) -> str:
        """Spell the streams of a table; their names are the moments at which AWS made them."""
        return f"{self.table(table)}/stream/*"

    def data_bucket_name(self) -> str:
        """Carry the account in the bucket's name, which has to be unique in the world."""
        return f"{self.names.of('data')}-{self.account}"

    def data_bucket(self) -> str:
        """Spell the data bucket itself, for listing it."""
        return f"arn:{self.partition}:s3:::{self.data_bucket_name()}"

    def objects(self, prefix: str) -> str:
        """Spell the objects under a prefix of the data bucket, so that grants do not reach its other half."""
        return f"{self.data_bucket()}/{prefix}/*"

    def function(self, function: str) -> str:
        """Spell a function's function without a version: machines and the API always call the newest code."""
        return self._arn("lambda", f"function:{self.names.function(function)}")

    def foreign_function(self, name: str) -> str:
        """Spell a function of the account that is none of ours."""
        return self._arn("lambda", f"function:{name}")

    def stack(self, part: str) -> str:
        """Spell how the id of a stack begins; CloudFormation gives each a random ending."""
        return self._arn("cloudformation", f"stack/{self.names.of(part)}/")

    def function_logs(self, function: str) -> str:
        """Spell the streams of a function's own log group, the only place it may log to."""
        return self._arn("logs", f"log-group:/aws/lambda/{self.names.function(function)}:*")

    def queue(self, function: str) -> str:
        """Spell the queue that a function reads."""
        return self._arn("sqs", self.names.queue(function))

    def queue_url(self, function: str) -> str:
        """Spell the address of the queue that a function reads, for those who send to it."""
        return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self.names.queue(function)}"

    def failures(self, function: str) -> str:
        """Spell the queue of events that a function could not handle."""
        return self._arn("sqs", self.names.failures(function))

    def rule(self, function: str, ending: str, bus: str = "default") -> str:
        """Spell one rule, so that only it may start the function and fill its queue of failures."""
        path = "" if bus == "default" else f"{self.names.bus()}/"
        return self._arn("events", f"rule/{path}{self.names.rule(function, ending)}")

    def default_bus(self) -> str:
        """Spell the account's own event bus."""
        return self._arn("events", "event-bus/default")

    def schedules(self) -> str:
        """Spell the schedules that users make; their names are made at run time."""
        return self._arn("scheduler", f"schedule/{self.names.schedules()}/*")

    def schedule_group(self) -> str:
        """Spell the group of those schedules."""
        return self._arn("scheduler", f"schedule-group/{self.names.schedules()}")

    def schedule_role_name(self) -> str:
        """Carry the region in the role's name, for roles have the same place in every region."""
        return f"{self.names.schedules()}-{self.region}"

    def schedule_role(self) -> str:
        """Spell the role in which schedules start their function."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.schedule_role_name()}"

    def bus(self) -> str:
        """Spell the stage's own event bus."""
        return self._arn("events", f"event-bus/{self.names.bus()}")

    def workflow_machines(self, rest: str = "*") -> str:
        """Spell the machines of workflows, which are named after what they were compiled from."""
        return self._arn("states", f"stateMachine:sw-{self.names.stage}-{rest}")

    def workflow_executions(self) -> str:
        """Spell all executions of workflows' machines."""
        return self._arn("states", f"execution:sw-{self.names.stage}-*")

    def workflow_role_name(self) -> str:
        """Carry the region in the role's name, for roles have the same place in every region."""
        return f"{self.names.of('workflows')}-{self.region}"

    def workflow_role(self) -> str:
        """Spell the role in which all workflows' machines run."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.workflow_role_name()}"

    def workflow_logs(self) -> str:
        """Spell the group to which workflows' machines log their failures."""
        return self._arn("logs", f"log-group:{self.names.workflow_log_group()}:*")

    def machine(self, machine: str) -> str:
        """Spell a state machine, for starting it."""
        return self._arn("states", f"stateMachine:{self.names.of(machine)}")

    def executions(self, machine: str) -> str:
        """Spell all executions of a machine, whose names are made at run time."""
        return self._arn("states", f"execution:{self.names.of(machine)}:*")
