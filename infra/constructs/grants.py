"""A room asks for what it needs by word; this table is the only place that says which IAM actions a word means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from infra.names import Arns
from infra.tables import TABLES


@dataclass(frozen=True)
class Allow:
    """One IAM statement: these actions on these resources, never on everything."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str | list[str]]] = field(default_factory=dict)
    """IAM's `Condition` block: operator, then key and value."""


@dataclass(frozen=True)
class Granted:
    """What a word gives: permissions, and the environment variables without which they would be useless."""

    allows: tuple[Allow, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


Rule = Callable[[Arns], Granted]

_READ = ("dynamodb:GetItem", "dynamodb:Query")
# A transaction is authorised by the actions on its items; there is no action `TransactWriteItems`.
_WRITE = ("dynamodb:PutItem", "dynamodb:UpdateItem")

TABLE_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "journal:append": ("journal", ("dynamodb:PutItem", "dynamodb:UpdateItem")),
    "journal:read": ("journal", (*_READ, "dynamodb:BatchGetItem")),
    "runtime:read": ("runtime", _READ),
    "runtime:read-write": ("runtime", _READ + _WRITE + ("dynamodb:DeleteItem",)),
    "runtime:check": ("runtime", ("dynamodb:ConditionCheckItem",)),
    "registry:read": ("registry", (*_READ, "dynamodb:BatchGetItem")),
    "registry:read-write": ("registry", (*_READ, *_WRITE, "dynamodb:BatchGetItem", "dynamodb:DeleteItem")),
    "identity:read": ("identity", ("dynamodb:GetItem",)),
    "limits:read-write": ("limits", ("dynamodb:GetItem", *_WRITE)),
    "triggers:read": ("triggers", _READ),
    "triggers:record": ("triggers", ("dynamodb:UpdateItem",)),
    "triggers:define": ("triggers", (*_READ, "dynamodb:PutItem", "dynamodb:DeleteItem")),
}

Part = tuple[tuple[str, ...], tuple[str, ...], Mapping[str, Mapping[str, str | list[str]]]]
"""Actions on a table, the indexes that a query of it may use, and under what conditions."""


def _keys(operator: str, *partitions: str) -> Mapping[str, Mapping[str, str | list[str]]]:
    return {f"ForAllValues:{operator}": {"dynamodb:LeadingKeys": list(partitions)}}


NARROW_WORDS: dict[str, tuple[str, tuple[Part, ...]]] = {
    # What anonymous functions do: they know the keys of what they read, list nothing and take nothing away.
    "runtime:get": ("runtime", ((("dynamodb:GetItem",), (), {}),)),
    "runtime:start": (
        "runtime",
        ((("dynamodb:GetItem", *_WRITE), (), {}), ((), ("GSI2",), {})),
    ),
    "registry:get": ("registry", ((("dynamodb:GetItem", "dynamodb:BatchGetItem"), (), {}),)),
    "registry:find": ("registry", (((*_READ, "dynamodb:BatchGetItem"), (), {}),)),
    "triggers:get": ("triggers", ((("dynamodb:GetItem",), (), {}),)),
    # Settings lie in the partition of their tenant or of the account; agents and workflows in others, which stay untouched.
    "registry:configure": (
        "registry",
        (
            (("dynamodb:GetItem", "dynamodb:BatchGetItem"), (), {}),
            (("dynamodb:PutItem",), (), _keys("StringNotLike", "T#*#*", "PLATFORM#*")),
        ),
    ),
    "registry:publish-tools": (
        "registry",
        ((("dynamodb:Query", "dynamodb:PutItem"), (), _keys("StringEquals", "PLATFORM#TOOLS")),),
    ),
    # What providers' limits and breakers need: breakers of tools lie in the partitions of their tenants.
    "limits:providers": (
        "limits",
        ((("dynamodb:GetItem", "dynamodb:UpdateItem"), (), _keys("StringLike", "PROVIDER#*")),),
    ),
    # Replies that the response cache keeps lie in partitions of their tenants, beside the breakers of tools.
    "limits:responses": (
        "limits",
        ((("dynamodb:GetItem", "dynamodb:PutItem"), (), _keys("StringLike", "T#*#RESPONSE#*")),),
    ),
    "runtime:budget": (
        "runtime",
        (
            (_READ, ("GSI1", "GSI2", "GSI3"), {}),
            (("dynamodb:UpdateItem",), (), _keys("StringLike", "T#*#BUDGET")),
        ),
    ),
}

OBJECT_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "data:read": ("tenants", ("s3:GetObject",)),
    "data:read-write": ("tenants", ("s3:GetObject", "s3:PutObject")),
    "blobs:read": ("blobs", ("s3:GetObject",)),
    "blobs:read-write": ("blobs", ("s3:GetObject", "s3:PutObject")),
}


QUEUES: tuple[str, ...] = ("dispatch",)
"""The rooms with a queue that other rooms may send to."""


def grant_words(machines: Iterable[str]) -> dict[str, Rule]:
    """Collect every word that a `function.toml` may use; each machine brings its own four."""
    words: dict[str, Rule] = {word: _table_rule(*grant) for word, grant in TABLE_WORDS.items()}
    words |= {word: _narrow_rule(*grant) for word, grant in NARROW_WORDS.items()}
    words |= {f"{room}:send": _send_rule(room) for room in QUEUES}
    words |= {word: _object_rule(*grant) for word, grant in OBJECT_WORDS.items()}
    words["data:list"] = _data_list
    words["schedules:define"] = _schedules
    words["webhook-key:read"] = _webhook_secrets("ssm:GetParameter")
    words["webhook-key:make"] = _webhook_secrets("ssm:GetParameter", "ssm:PutParameter")
    words["providers:read"] = _provider_secrets
    words["models:invoke"] = _models
    words["events:put"] = _events
    words["bus:put"] = _bus
    words |= {f"workflows:{word}": rule for word, rule in WORKFLOW_WORDS.items()}
    for machine in machines:
        words[f"{machine}:start"] = _start_rule(machine)
        words[f"{machine}:stop"] = _execution_rule(machine, "states:StopExecution")
        words[f"{machine}:describe"] = _execution_rule(machine, "states:DescribeExecution")
        words[f"{machine}:answer"] = _answer_rule(machine)
    return words


def _table_rule(table: str, actions: tuple[str, ...]) -> Rule:
    def rule(arns: Arns) -> Granted:
        allows = [Allow(actions, (arns.table(table),))]
        indexes = tuple(arns.index(table, index.name) for index in TABLES[table].indexes)
        if indexes and "dynamodb:Query" in actions:
            allows.append(Allow(("dynamodb:Query",), indexes))
        return Granted(tuple(allows), {f"{table.upper()}_TABLE": arns.names.of(table)})

    return rule


def _narrow_rule(table: str, parts: tuple[Part, ...]) -> Rule:
    def rule(arns: Arns) -> Granted:
        allows = [Allow(actions, (arns.table(table),), when) for actions, _, when in parts if actions]
        indexes = tuple(arns.index(table, name) for _, names, _ in parts for name in names)
        if indexes:
            allows.append(Allow(("dynamodb:Query",), indexes))
        return Granted(tuple(allows), {f"{table.upper()}_TABLE": arns.names.of(table)})

    return rule


def _object_rule(prefix: str, actions: tuple[str, ...]) -> Rule:
    def rule(arns: Arns) -> Granted:
        return Granted((Allow(actions, (arns.objects(prefix),)),), {"DATA_BUCKET": arns.data_bucket_name()})

    return rule


def _data_list(arns: Arns) -> Granted:
    """List the tenants' half of the data bucket, and not what the platform itself keeps there."""
    narrowed = {"StringLike": {"s3:prefix": "tenants/*"}}
    allow = Allow(("s3:ListBucket",), (arns.data_bucket(),), narrowed)
    return Granted((allow,), {"DATA_BUCKET": arns.data_bucket_name()})


def _schedules(arns: Arns) -> Granted:
    """Let a room make schedules of the stage's group, in the one role that starts the one room."""
    actions = ("scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule")
    passes = _passes(arns.schedule_role(), "scheduler.amazonaws.com")
    environment = {"SCHEDULE_GROUP": arns.names.schedules(), "SCHEDULE_ROLE_ARN": arns.schedule_role()}
    return Granted((Allow(actions, (arns.schedules(),)), passes), environment)


def _passes(role: str, service: str) -> Allow:
    """Pass one role to one service: to any other it would lend what the role may do."""
    return Allow(("iam:PassRole",), (role,), {"StringEquals": {"iam:PassedToService": service}})


def _webhook_secrets(*actions: str) -> Rule:
    """Read, or make too, the key from which the secrets of webhooks are derived: a parameter that KMS keeps encrypted."""

    def rule(arns: Arns) -> Granted:
        allow = Allow(actions, (arns.parameter(arns.names.webhook_key()),))
        return Granted((allow,), {"WEBHOOK_KEY": arns.names.webhook_key()})

    return rule


def _provider_secrets(arns: Arns) -> Granted:
    """Read the keys of providers; AWS's own key encrypts their secrets, which takes no permission on it."""
    allow = Allow(("secretsmanager:GetSecretValue",), (arns.provider_secrets(),))
    return Granted((allow,), {"PROVIDER_SECRETS": arns.names.provider_secrets()})


def _models(arns: Arns) -> Granted:
    """Call models on Bedrock; which of them answer is up to the account, which model up to each agent."""
    actions = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
    return Granted((Allow(actions, arns.models()),))


def _start_rule(machine: str) -> Rule:
    def rule(arns: Arns) -> Granted:
        return Granted(
            (Allow(("states:StartExecution",), (arns.machine(machine),)),), _machine_variable(machine, arns)
        )

    return rule


def _answer_rule(machine: str) -> Rule:
    """A task's token is answered in the name of its machine, whichever execution it belongs to."""

    def rule(arns: Arns) -> Granted:
        allow = Allow(("states:SendTaskSuccess",), (arns.machine(machine),))
        return Granted((allow,), _machine_variable(machine, arns))

    return rule


def _events(arns: Arns) -> Granted:
    """Put events on the account's default bus, where the platform tells of itself."""
    return Granted((Allow(("events:PutEvents",), (arns.default_bus(),)),))


def _bus(arns: Arns) -> Granted:
    """Put events on the stage's own bus, where applications' events start agents and workflows."""
    return Granted((Allow(("events:PutEvents",), (arns.bus(),)),), {"EVENT_BUS": arns.names.bus()})


def _workflow_rule(*actions: str, on_executions: bool = False) -> Rule:
    """Machines of workflows are made at run time: a grant ends at the stage's part of their names."""

    def rule(arns: Arns) -> Granted:
        resource = arns.workflow_executions() if on_executions else arns.workflow_machines()
        return Granted((Allow(actions, (resource,)),), {"WORKFLOW_MACHINES": arns.workflow_machines("")})

    return rule


def _publish(arns: Arns) -> Granted:
    """Make and remove workflows' machines, in the one role that they all have."""
    actions = ("states:CreateStateMachine", "states:DeleteStateMachine", "states:TagResource")
    passes = _passes(arns.workflow_role(), "states.amazonaws.com")
    environment = {
        "WORKFLOW_MACHINES": arns.workflow_machines(""),
        "WORKFLOW_ROLE_ARN": arns.workflow_role(),
        "WORKFLOW_LOG_GROUP_ARN": arns.workflow_logs(),
        "TASK_RUN_ARN": arns.function("task_run"),
        "JOURNAL_NAME": arns.names.of("journal"),
    }
    return Granted((Allow(actions, (arns.workflow_machines(),)), passes), environment)


def _order(arns: Arns) -> Granted:
    """Ask the one room that may make workflows' machines to make one."""
    allow = Allow(("lambda:InvokeFunction",), (arns.function("workflow_publisher"),))
    return Granted((allow,), {"WORKFLOW_PUBLISHER": arns.names.function("workflow_publisher")})


WORKFLOW_WORDS: dict[str, Rule] = {
    "publish": _publish,
    "order": _order,
    "start": _workflow_rule("states:StartExecution"),
    "inspect": _workflow_rule("states:DescribeStateMachine"),
    "answer": _workflow_rule("states:SendTaskSuccess", "states:SendTaskFailure"),
    "stop": _workflow_rule("states:StopExecution", on_executions=True),
    "describe": _workflow_rule("states:DescribeExecution", on_executions=True),
}


def _send_rule(room: str) -> Rule:
    def rule(arns: Arns) -> Granted:
        variable = f"{room.upper()}_QUEUE_URL"
        return Granted((Allow(("sqs:SendMessage",), (arns.queue(room),)),), {variable: arns.queue_url(room)})

    return rule


def _execution_rule(machine: str, action: str) -> Rule:
    def rule(arns: Arns) -> Granted:
        allow = Allow((action,), (arns.executions(machine),))
        return Granted((allow,), _machine_variable(machine, arns))

    return rule


def _machine_variable(machine: str, arns: Arns) -> dict[str, str]:
    return {f"{machine.upper().replace('-', '_')}_MACHINE_ARN": arns.machine(machine)}
