"""The words by which a function asks for what it may do; this is the only place that says which IAM actions each means."""

from __future__ import annotations

from collections.abc import Iterable

from infra.constructs.permissions import Allow, Granted, Rule, passes
from infra.constructs.table_grants import table_words
from infra.names import Arns

OBJECT_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "data:read": ("tenants", ("s3:GetObject",)),
    "data:read-write": ("tenants", ("s3:GetObject", "s3:PutObject")),
    "blobs:read": ("blobs", ("s3:GetObject",)),
    "blobs:read-write": ("blobs", ("s3:GetObject", "s3:PutObject")),
}


QUEUES: tuple[str, ...] = ("dispatch",)
"""The functions with a queue that others may send to."""


def grant_words(
    machines: Iterable[str], tool_folders: Iterable[str] = (), lambda_tools: Iterable[str] = ()
) -> dict[str, Rule]:
    """Collect every word that a `function.toml` may use.

    Args:
        machines: Names of state machines; each brings four words of its own.
        tool_folders: The functions with `tools = true`, which `tools:invoke` allows to call.
        lambda_tools: The account's functions that the stage allows as tools, which `lambda-tools:invoke` allows to call.

    Returns:
        What each word gives; a word for tools gives nothing where there are none.
    """
    words = table_words()
    words |= {f"{function}:send": _send_rule(function) for function in QUEUES}
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
    words["tools:invoke"] = _tool_folders_rule(tuple(tool_folders))
    words["lambda-tools:invoke"] = _lambda_tools_rule(tuple(lambda_tools))
    for machine in machines:
        words[f"{machine}:start"] = _start_rule(machine)
        words[f"{machine}:stop"] = _execution_rule(machine, "states:StopExecution")
        words[f"{machine}:describe"] = _execution_rule(machine, "states:DescribeExecution")
        words[f"{machine}:answer"] = _answer_rule(machine)
    return words


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
    """Allow to make schedules of the stage's group, in the one role that starts the function."""
    actions = ("scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule")
    passing = passes(arns.schedule_role(), "scheduler.amazonaws.com")
    environment = {"SCHEDULE_GROUP": arns.names.schedules(), "SCHEDULE_ROLE_ARN": arns.schedule_role()}
    return Granted((Allow(actions, (arns.schedules(),)), passing), environment)


def _webhook_secrets(*actions: str) -> Rule:
    """Allow to read, or make too, the parameter from which webhook secrets are derived."""

    def rule(arns: Arns) -> Granted:
        allow = Allow(actions, (arns.parameter(arns.names.webhook_key()),))
        return Granted((allow,), {"WEBHOOK_KEY": arns.names.webhook_key()})

    return rule


def _provider_secrets(arns: Arns) -> Granted:
    """Allow to read the keys of providers.

    AWS's own key encrypts their secrets, which takes no permission on it.
    """
    allow = Allow(("secretsmanager:GetSecretValue",), (arns.provider_secrets(),))
    return Granted((allow,), {"PROVIDER_SECRETS": arns.names.provider_secrets()})


def _models(arns: Arns) -> Granted:
    """Allow to call models on Bedrock.

    The account decides which of them answer, each agent which it asks.
    """
    actions = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
    return Granted((Allow(actions, arns.models()),))


def _start_rule(machine: str) -> Rule:
    def rule(arns: Arns) -> Granted:
        return Granted(
            (Allow(("states:StartExecution",), (arns.machine(machine),)),), _machine_variable(machine, arns)
        )

    return rule


def _answer_rule(machine: str) -> Rule:
    """Allow to answer a task's token, in the name of its machine."""

    def rule(arns: Arns) -> Granted:
        allow = Allow(("states:SendTaskSuccess",), (arns.machine(machine),))
        return Granted((allow,), _machine_variable(machine, arns))

    return rule


def _events(arns: Arns) -> Granted:
    """Put events on the account's default bus, where the platform tells of itself."""
    return Granted((Allow(("events:PutEvents",), (arns.default_bus(),)),))


def _bus(arns: Arns) -> Granted:
    """Allow to put events on the stage's own bus."""
    return Granted((Allow(("events:PutEvents",), (arns.bus(),)),), {"EVENT_BUS": arns.names.bus()})


def _workflow_rule(*actions: str, on_executions: bool = False) -> Rule:
    """Limit a grant to the stage's machines of workflows, which are made at run time."""

    def rule(arns: Arns) -> Granted:
        resource = arns.workflow_executions() if on_executions else arns.workflow_machines()
        return Granted((Allow(actions, (resource,)),), {"WORKFLOW_MACHINES": arns.workflow_machines("")})

    return rule


def _publish(arns: Arns) -> Granted:
    """Make and remove workflows' machines, in the one role that they all have."""
    actions = ("states:CreateStateMachine", "states:DeleteStateMachine", "states:TagResource")
    passing = passes(arns.workflow_role(), "states.amazonaws.com")
    environment = {
        "WORKFLOW_MACHINES": arns.workflow_machines(""),
        "WORKFLOW_ROLE_ARN": arns.workflow_role(),
        "WORKFLOW_LOG_GROUP_ARN": arns.workflow_logs(),
        "TASK_RUN_ARN": arns.function("task_run"),
        "JOURNAL_NAME": arns.names.of("journal"),
    }
    return Granted((Allow(actions, (arns.workflow_machines(),)), passing), environment)


def _order(arns: Arns) -> Granted:
    """Ask the one function that may make workflows' machines to make one."""
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


def _send_rule(function: str) -> Rule:
    def rule(arns: Arns) -> Granted:
        variable = f"{function.upper()}_QUEUE_URL"
        return Granted(
            (Allow(("sqs:SendMessage",), (arns.queue(function),)),), {variable: arns.queue_url(function)}
        )

    return rule


def _execution_rule(machine: str, action: str) -> Rule:
    def rule(arns: Arns) -> Granted:
        allow = Allow((action,), (arns.executions(machine),))
        return Granted((allow,), _machine_variable(machine, arns))

    return rule


def _machine_variable(machine: str, arns: Arns) -> dict[str, str]:
    return {f"{machine.upper().replace('-', '_')}_MACHINE_ARN": arns.machine(machine)}


def _tool_folders_rule(functions: tuple[str, ...]) -> Rule:
    def rule(arns: Arns) -> Granted:
        named = ",".join(f"{function}={arns.names.function(function)}" for function in functions)
        allow = Allow(("lambda:InvokeFunction",), tuple(arns.function(function) for function in functions))
        return Granted((allow,) if functions else (), {"TOOL_FUNCTIONS": named}, services=("lambda",))

    return rule


def _lambda_tools_rule(names: tuple[str, ...]) -> Rule:
    def rule(arns: Arns) -> Granted:
        resources = tuple(arns.foreign_function(name) for name in names)
        allow = Allow(("lambda:InvokeFunction", "lambda:GetFunction"), resources)
        return Granted((allow,) if names else (), {"LAMBDA_TOOLS": ",".join(names)}, services=("lambda",))

    return rule
