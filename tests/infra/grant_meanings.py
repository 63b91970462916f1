"""What each word of a grant is meant to say: the actions on each resource, and the variables that come with it."""

from __future__ import annotations

import tomllib

from tests.infra.assembly_reading import ROOT

PLACE = "<region>:<accountid>"
TABLE = f"arn:<partition>:dynamodb:{PLACE}:table/stepward-prod-"
BUCKET = "arn:<partition>:s3:::stepward-prod-data-<accountid>"
WEBHOOK_KEY = f"arn:<partition>:ssm:{PLACE}:parameter/stepward/prod/webhook-key"
STATES = f"arn:<partition>:states:{PLACE}"
READ = {"dynamodb:GetItem", "dynamodb:Query"}
WRITE = {"dynamodb:PutItem", "dynamodb:UpdateItem"}
QUERY = {"dynamodb:Query"}
INVOKE = {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}

# Written out by hand and not taken from the table of words: this is what the words are meant to say.
MEANING: dict[str, dict[str, set[str]]] = {
    "journal:append": {f"{TABLE}journal": {"dynamodb:PutItem", "dynamodb:UpdateItem"}},
    "journal:read": {f"{TABLE}journal": READ | {"dynamodb:BatchGetItem"}},
    "runtime:read": {
        f"{TABLE}runtime": READ,
        f"{TABLE}runtime/index/GSI1": QUERY,
        f"{TABLE}runtime/index/GSI2": QUERY,
        f"{TABLE}runtime/index/GSI3": QUERY,
    },
    "runtime:read-write": {
        f"{TABLE}runtime": READ | WRITE | {"dynamodb:DeleteItem"},
        f"{TABLE}runtime/index/GSI1": QUERY,
        f"{TABLE}runtime/index/GSI2": QUERY,
        f"{TABLE}runtime/index/GSI3": QUERY,
    },
    "runtime:check": {f"{TABLE}runtime": {"dynamodb:ConditionCheckItem"}},
    "registry:read": {
        f"{TABLE}registry": READ | {"dynamodb:BatchGetItem"},
        f"{TABLE}registry/index/GSI1": QUERY,
    },
    "registry:read-write": {
        f"{TABLE}registry": READ | WRITE | {"dynamodb:BatchGetItem", "dynamodb:DeleteItem"},
        f"{TABLE}registry/index/GSI1": QUERY,
    },
    "runtime:get": {f"{TABLE}runtime": {"dynamodb:GetItem"}},
    "runtime:start": {
        f"{TABLE}runtime": {"dynamodb:GetItem"} | WRITE,
        f"{TABLE}runtime/index/GSI2": QUERY,
    },
    "runtime:budget": {
        f"{TABLE}runtime": READ | {"dynamodb:UpdateItem"},
        f"{TABLE}runtime/index/GSI1": QUERY,
        f"{TABLE}runtime/index/GSI2": QUERY,
        f"{TABLE}runtime/index/GSI3": QUERY,
    },
    "runtime:prompts": {f"{TABLE}runtime": QUERY},
    "registry:get": {f"{TABLE}registry": {"dynamodb:GetItem", "dynamodb:BatchGetItem"}},
    "registry:find": {f"{TABLE}registry": READ | {"dynamodb:BatchGetItem"}},
    "registry:configure": {
        f"{TABLE}registry": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"}
    },
    "registry:prompts": {
        f"{TABLE}registry": READ | {"dynamodb:PutItem", "dynamodb:DeleteItem"},
        f"{TABLE}registry/index/GSI1": QUERY,
    },
    "registry:publish-tools": {f"{TABLE}registry": {"dynamodb:Query", "dynamodb:PutItem"}},
    "triggers:get": {f"{TABLE}triggers": {"dynamodb:GetItem"}},
    "webhook-key:read": {WEBHOOK_KEY: {"ssm:GetParameter"}},
    "webhook-key:make": {WEBHOOK_KEY: {"ssm:GetParameter", "ssm:PutParameter"}},
    "providers:read": {
        f"arn:<partition>:secretsmanager:{PLACE}:secret:stepward/prod/providers/*": {
            "secretsmanager:GetSecretValue"
        }
    },
    "limits:providers": {f"{TABLE}limits": {"dynamodb:GetItem", "dynamodb:UpdateItem"}},
    "limits:responses": {f"{TABLE}limits": {"dynamodb:GetItem", "dynamodb:PutItem"}},
    "models:invoke": {
        "arn:<partition>:bedrock:*::foundation-model/*": INVOKE,
        f"arn:<partition>:bedrock:{PLACE}:inference-profile/*": INVOKE,
    },
    "identity:read": {f"{TABLE}identity": {"dynamodb:GetItem"}},
    "tools:invoke": {
        f"arn:<partition>:lambda:{PLACE}:function:stepward-prod-{folder.name.replace('_', '-')}": {
            "lambda:InvokeFunction"
        }
        for folder in (ROOT / "functions").iterdir()
        if (folder / "function.toml").is_file()
        and tomllib.loads((folder / "function.toml").read_text()).get("tools")
    },
    "lambda-tools:invoke": {},
    "limits:read-write": {f"{TABLE}limits": {"dynamodb:GetItem"} | WRITE},
    "triggers:read": {f"{TABLE}triggers": READ},
    "triggers:record": {f"{TABLE}triggers": {"dynamodb:UpdateItem"}},
    "triggers:define": {f"{TABLE}triggers": READ | {"dynamodb:PutItem", "dynamodb:DeleteItem"}},
    "schedules:define": {
        f"arn:<partition>:scheduler:{PLACE}:schedule/stepward-prod-triggers/*": {
            "scheduler:CreateSchedule",
            "scheduler:UpdateSchedule",
            "scheduler:DeleteSchedule",
        },
        "arn:<partition>:iam::<accountid>:role/stepward-prod-triggers-<region>": {"iam:PassRole"},
    },
    "events:put": {f"arn:<partition>:events:{PLACE}:event-bus/default": {"events:PutEvents"}},
    "bus:put": {f"arn:<partition>:events:{PLACE}:event-bus/stepward-prod-events": {"events:PutEvents"}},
    "workflows:start": {f"{STATES}:stateMachine:sw-prod-*": {"states:StartExecution"}},
    "workflows:answer": {
        f"{STATES}:stateMachine:sw-prod-*": {"states:SendTaskSuccess", "states:SendTaskFailure"}
    },
    "workflows:stop": {f"{STATES}:execution:sw-prod-*": {"states:StopExecution"}},
    "workflows:describe": {f"{STATES}:execution:sw-prod-*": {"states:DescribeExecution"}},
    "workflows:inspect": {f"{STATES}:stateMachine:sw-prod-*": {"states:DescribeStateMachine"}},
    "workflows:order": {
        f"arn:<partition>:lambda:{PLACE}:function:stepward-prod-workflow-publisher": {"lambda:InvokeFunction"}
    },
    "workflows:publish": {
        f"{STATES}:stateMachine:sw-prod-*": {
            "states:CreateStateMachine",
            "states:DeleteStateMachine",
            "states:TagResource",
        },
        "arn:<partition>:iam::<accountid>:role/stepward-prod-workflows-<region>": {"iam:PassRole"},
    },
    "data:read": {f"{BUCKET}/tenants/*": {"s3:GetObject"}},
    "data:read-write": {f"{BUCKET}/tenants/*": {"s3:GetObject", "s3:PutObject"}},
    "data:list": {BUCKET: {"s3:ListBucket"}},
    "blobs:read": {f"{BUCKET}/blobs/*": {"s3:GetObject"}},
    "blobs:read-write": {f"{BUCKET}/blobs/*": {"s3:GetObject", "s3:PutObject"}},
    "agent-run:start": {f"{STATES}:stateMachine:stepward-prod-agent-run": {"states:StartExecution"}},
    "agent-run:answer": {f"{STATES}:stateMachine:stepward-prod-agent-run": {"states:SendTaskSuccess"}},
    "dispatch:send": {f"arn:<partition>:sqs:{PLACE}:stepward-prod-dispatch": {"sqs:SendMessage"}},
    "agent-run:stop": {f"{STATES}:execution:stepward-prod-agent-run:*": {"states:StopExecution"}},
    "agent-run:describe": {f"{STATES}:execution:stepward-prod-agent-run:*": {"states:DescribeExecution"}},
}
VARIABLES = {
    "journal": "JOURNAL_TABLE",
    "runtime": "RUNTIME_TABLE",
    "registry": "REGISTRY_TABLE",
    "identity": "IDENTITY_TABLE",
    "limits": "LIMITS_TABLE",
    "tools": "TOOL_FUNCTIONS",
    "lambda-tools": "LAMBDA_TOOLS",
    "triggers": "TRIGGERS_TABLE",
    "webhook-key": "WEBHOOK_KEY",
    "providers": "PROVIDER_SECRETS",
    "data": "DATA_BUCKET",
    "blobs": "DATA_BUCKET",
    "agent-run": "AGENT_RUN_MACHINE_ARN",
    "dispatch": "DISPATCH_QUEUE_URL",
    "events": "",
    "models": "",
    "bus": "EVENT_BUS",
    "workflows": "WORKFLOW_MACHINES",
    "workflows:order": "WORKFLOW_PUBLISHER",
    "workflows:publish": "WORKFLOW_MACHINES WORKFLOW_ROLE_ARN WORKFLOW_LOG_GROUP_ARN TASK_RUN_ARN JOURNAL_NAME",
    "schedules": "SCHEDULE_GROUP SCHEDULE_ROLE_ARN",
}
