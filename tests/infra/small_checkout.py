"""A whole repository in a few lines, so that a test can show one rule without the product's own rooms."""

from __future__ import annotations

import json
from pathlib import Path

from infra.bundling import Checkout

GUARD = 'purpose = "Tells who is calling."\nmemory_mb = 128\ntimeout_s = 3\nauthorizer = true\ngrants = ["identity:read"]\n'
GREETER = """purpose = "Greets whoever asks."
memory_mb = 256
timeout_s = 20
routes = ["GET /greetings/{name}"]
open_routes = ["$default"]
packages = ["Example_Library"]
grants = ["runtime:read-write", "greet:start"]

[environment]
ORIGINS = "${config.cors_origins}"
WORKER_ARN = "${function.worker}"
WORKER_ARN_AS_BEFORE = "${room.worker}"
"""
WORKER = """purpose = "Works through what waits in its queue."
memory_mb = 256
timeout_s = 30
grants = ["journal:append", "blobs:read-write"]

[queue]
batch_size = 5
max_receive_count = 4
"""
CLOSER = """purpose = "Closes what a machine has left open."
memory_mb = 256
timeout_s = 30
schedule = "rate(5 minutes)"

[[rules]]
source = ["aws.states"]
detail_type = ["Step Functions Execution Status Change"]
detail = { stateMachineArn = ["${machine.greet}"], status = ["FAILED", "ABORTED"] }

[[rules]]
source = [{ prefix = "shop." }]
"""
FOLLOWER = """purpose = "Carries the journal to whoever listens."
memory_mb = 256
timeout_s = 30

[stream]
table = "journal"
filter = { eventName = ["INSERT"] }
batch_size = 50
retries = 3
"""
HANDLER = '"""Handler of {name}."""\n\nfrom stepward.domain.ids import A\n'
LOCK = """example-library==1.2 \\
    --hash=sha256:aa
    # via stepward (pyproject.toml)
needed-by-it==3.0 ; sys_platform == 'linux' \\
    --hash=sha256:bb
    # via
    #   example-library[fast]
    #   unrelated
pydantic==2.14 \\
    --hash=sha256:cc
    # via
    #   stepward (pyproject.toml)
    #   unrelated
pydantic-core==2.50 \\
    --hash=sha256:dd
    # via pydantic
unrelated==9 \\
    --hash=sha256:ee
    # via
    #   stepward (pyproject.toml:laptop)
"""
MACHINE = {
    "QueryLanguage": "JSONata",
    "StartAt": "Greet",
    "States": {
        "Greet": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "${GreeterArn}"},
            "TimeoutSeconds": "${GreeterTaskTimeoutSeconds}",
            "End": True,
        }
    },
}


def a_room(checkout: Checkout, name: str, toml: str) -> Path:
    folder = checkout.functions / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "function.toml").write_text(toml, encoding="utf-8")
    (folder / "handler.py").write_text(HANDLER.format(name=name), encoding="utf-8")
    return folder


def a_checkout(root: Path) -> Checkout:
    checkout = Checkout.at(root)
    for name, toml in {
        "guard": GUARD,
        "greeter": GREETER,
        "worker": WORKER,
        "closer": CLOSER,
        "follower": FOLLOWER,
    }.items():
        a_room(checkout, name, toml)
    (checkout.package / "domain").mkdir(parents=True)
    (checkout.package / "__init__.py").write_text("", encoding="utf-8")
    (checkout.package / "domain" / "ids.py").write_text("A = 1\n", encoding="utf-8")
    checkout.statemachines.mkdir()
    (checkout.statemachines / "greet.asl.json").write_text(json.dumps(MACHINE), encoding="utf-8")
    checkout.lock.write_text(LOCK, encoding="utf-8")
    return checkout
