"""Every word that a room asks for is needed: without it, what it is for is refused, to this room and with AWS's error."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from fnmatch import fnmatchcase
from typing import Any

import httpx2
import pytest

from infra.constructs.grants import grant_words
from infra.constructs.permissions import Allow
from infra.function_configs import load_functions
from infra.local.laptop import Laptop
from infra.local.synthesis import ROOT
from infra.names import Arns, Names
from tests.e2e.approval_tour import APPROVAL_USES
from tests.e2e.conftest import forget_limits
from tests.e2e.executions import executions_of, runs_with
from tests.e2e.line_tour import LINE_USES
from tests.e2e.machine_tour import MACHINE_USES
from tests.e2e.model_tour import MODEL_USES, is_told_by_the_run
from tests.e2e.money_tour import MONEY_USES
from tests.e2e.trigger_tour import TRIGGER_USES
from tests.e2e.undoing_tour import UNDOING_USES
from tests.e2e.workflow_tour import WORKFLOW_USES
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body
from tests.support.draws import sampled

pytestmark = [pytest.mark.laptop, pytest.mark.sampled]

ARNS = Arns(Names("laptop"), "aws", "us-east-1", "123456789012")
WORDS = grant_words(["agent-run"])
ROOMS = {room.name: room for room in load_functions(ROOT / "functions", WORDS, ["agent-run"])}
POLICY = {"tool": "policy_lookup", "config": {"source": "datasets/refund-policy.json"}}
ORDERS = {"tool": "record_lookup", "config": {"source": "datasets/orders.csv", "key": "order_id"}}
LARGE = "x" * 200_000

Use = Callable[["Tour"], object]


class Tour:
    """What somebody does with the API, whatever comes of it."""

    def __init__(self, api: httpx2.Client, laptop: Laptop) -> None:
        self.api = api
        self.laptop = laptop

    def agent(self, *turns: dict[str, Any], tools: Iterable[dict[str, Any]] = ()) -> str:
        # Versions never change, so rooms may remember them: each use has an agent of its own.
        name = f"tour-{uuid.uuid4().hex[:12]}"
        body = an_agent_body(id=name, tools=list(tools), rehearsal={"turns": [*turns, {"say": "Done."}]})
        self.api.post("/agents", json=body)
        return name

    def start(self, agent: str | None = None, given: Any = "hello") -> str:
        answer = self.api.post(f"/agents/{agent or self.agent()}/runs", json={"input": given})
        return str(answer.json().get("id", ""))

    def call(self, tool: dict[str, Any], given: Any = "hello", **arguments: Any) -> str:
        turn = {"call": [{"tool": tool["tool"], "arguments": arguments}]}
        return self.start(self.agent(turn, tools=[tool]), given)

    def policy(self, given: Any = "hello") -> str:
        return self.call(POLICY, given, topic="refunds")

    def request(self) -> str:
        return self.call({"tool": "http_request", "config": {"url": f"{self.site}/fine"}})

    @property
    def site(self) -> str:
        return str(json.loads(self.laptop.options.settings[0].partition("=")[2])[0])

    def waiting(self, given: Any = "hello") -> str:
        """Start a run that waits for a web site that never answers."""
        tool = {"tool": "http_get", "config": {"allow": [self.site]}}
        run = self.call(tool, given, url=f"{self.site}/hang")
        wait_for(lambda: "agent.tool.called" in self.api.get(f"/runs/{run}/events").text or None)
        return run

    def abandoned(self, given: Any = "hello") -> None:
        """Stop a run's execution behind its back."""
        self.stop(self.waiting(given))

    def sweep(self, run: str) -> None:
        """Let the janitor find a run that seems to be open for a long time already."""
        long_ago = {":then": {"S": "2020-01-01T00:00:00.000Z"}}
        self.laptop.client("dynamodb").update_item(
            TableName=ARNS.names.of("runtime"), Key={"pk": {"S": f"T#acme#R#{run}"}, "sk": {"S": "HEAD"}},
            UpdateExpression="SET gsi3sk = :then, deadline_at = :then", ExpressionAttributeValues=long_ago,
        )  # fmt: skip
        self.laptop.client("lambda").invoke(FunctionName=ARNS.names.function("janitor"), Payload=b"{}")
        self.stop(run)

    def carried_by_nobody(self, given: Any = "hello") -> None:
        """Let the janitor find a run whose execution was stopped without the other room being told."""
        with self.unheard():
            run = self.waiting(given)
            self.stop(run)
            self.sweep(run)

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """For a moment nobody tells the room that closes runs of executions that have ended."""
        events = self.laptop.client("events")
        rules = [
            rule["Name"] for rule in events.list_rules(NamePrefix=ARNS.names.function("run_closer"))["Rules"]
        ]
        for rule in rules:
            events.disable_rule(Name=rule)
        try:
            yield
        finally:
            for rule in rules:
                events.enable_rule(Name=rule)

    def never_began(self) -> None:
        """Let the janitor find a run that could not be started: the API may not start executions for a moment."""
        agent = self.agent()
        with self.without("runs_api", "agent-run:start"):
            self.start(agent)
        self.laptop.guard.refused.clear()
        self.sweep(self.api.get("/runs", params={"agent": agent}).json()["runs"][0]["id"])

    def without(self, room: str, word: str) -> AbstractContextManager[None]:
        """Take a word from another room than the one in question."""
        return _without(self.laptop, _role(self.laptop, room), room, word)

    def stop(self, run: str) -> None:
        states, machine = self.laptop.client("stepfunctions"), ARNS.machine("agent-run")
        for found in list(executions_of(self.laptop, machine, run, statusFilter="RUNNING")):
            states.stop_execution(executionArn=found["executionArn"])


USES: dict[tuple[str, str], Use] = {
    **APPROVAL_USES,
    **LINE_USES,
    **MACHINE_USES,
    **MODEL_USES,
    **MONEY_USES,
    **TRIGGER_USES,
    **UNDOING_USES,
    **WORKFLOW_USES,
    ("agents_api", "registry:read-write"): lambda tour: tour.agent(),
    ("agents_api", "runtime:read"): lambda tour: tour.api.get(f"/agents/{tour.agent()}"),
    ("authorizer", "identity:read"): lambda tour: tour.api.get("/agents"),
    ("data_api", "data:read-write"): lambda tour: tour.api.get("/data/datasets/orders.csv"),
    ("data_api", "data:list"): lambda tour: tour.api.get("/data"),
    ("health", "journal:read"): lambda tour: tour.api.get("/api/health/ready"),
    ("health", "runtime:read"): lambda tour: tour.api.get("/api/health/ready"),
    ("health", "registry:read"): lambda tour: tour.api.get("/api/health/ready"),
    ("runs_api", "journal:append"): Tour.start,
    ("runs_api", "journal:read"): lambda tour: tour.api.get(f"/runs/{tour.start()}/events"),
    ("runs_api", "runtime:read-write"): Tour.start,
    ("runs_api", "registry:read"): Tour.start,
    ("runs_api", "blobs:read-write"): lambda tour: tour.start(given=LARGE),
    ("runs_api", "agent-run:start"): Tour.start,
    ("runs_api", "agent-run:stop"): lambda tour: tour.api.post(f"/runs/{tour.waiting()}/cancel"),
    ("agent_advance", "journal:append"): Tour.start,
    ("agent_advance", "journal:read"): Tour.start,
    ("agent_advance", "runtime:read-write"): Tour.start,
    ("agent_advance", "registry:read"): Tour.start,
    ("agent_advance", "data:read"): lambda tour: tour.call(ORDERS, key="SO-40120"),
    ("agent_advance", "blobs:read-write"): lambda tour: tour.start(given=LARGE),
    ("tool_invoke", "journal:append"): Tour.policy,
    ("tool_invoke", "journal:read"): Tour.policy,
    ("tool_invoke", "registry:read"): Tour.policy,
    ("tool_invoke", "data:read"): Tour.policy,
    ("tool_invoke", "blobs:read-write"): lambda tour: tour.call(
        POLICY, {"it": LARGE}, topic="{% $input.it %}"
    ),
    ("tool_invoke", "limits:read-write"): Tour.request,
    ("system_api", "runtime:read"): lambda tour: tour.api.get("/system/status"),
    ("system_api", "registry:read"): lambda tour: tour.api.get("/system/status"),
    ("tools_api", "registry:read"): lambda tour: tour.api.get("/tools"),
    ("tool_publisher", "registry:publish-tools"): lambda tour: tour.laptop.client("lambda").invoke(
        FunctionName=ARNS.names.function("tool_publisher"), Payload=b"{}"
    ),
    ("janitor", "journal:append"): Tour.carried_by_nobody,
    ("janitor", "journal:read"): lambda tour: tour.sweep(tour.waiting()),
    ("janitor", "runtime:read-write"): lambda tour: tour.sweep(tour.waiting()),
    ("janitor", "blobs:read-write"): lambda tour: tour.carried_by_nobody(LARGE),
    ("janitor", "agent-run:start"): Tour.never_began,
    ("janitor", "agent-run:describe"): lambda tour: tour.sweep(tour.waiting()),
    ("run_closer", "journal:append"): Tour.abandoned,
    ("run_closer", "journal:read"): Tour.abandoned,
    ("run_closer", "runtime:read-write"): Tour.abandoned,
    ("run_closer", "blobs:read-write"): lambda tour: tour.abandoned(LARGE),
}

NEEDED = [(room.name, word) for room in ROOMS.values() for word in room.grants if WORDS[word](ARNS).allows]
"""Each word of each room; a soak takes each away, `make test` one in four."""


@pytest.fixture(scope="module", autouse=True)
def many_slots(api: httpx2.Client, laptop: Laptop) -> Iterator[None]:
    """Runs that were refused half-way keep their slots: with the usual ten, later runs would stand in line."""
    laptop.operate("account_limits", "--tenant", "acme", "--active", "90")
    forget_limits(laptop)
    yield
    _cancel_all(api)
    laptop.operate("account_limits", "--tenant", "acme", "--active", "10")
    forget_limits(laptop)


def _cancel_all(api: httpx2.Client) -> None:
    """Leave no run that holds a slot which the tests after these need."""
    for status in ("PENDING", "WAITING", "RUNNING"):
        while runs := runs_with(api, status):
            answers = [api.post(f"/runs/{run['id']}/cancel") for run in runs]
            if not any(answer.status_code == 202 for answer in answers):
                break
    wait_for(lambda: api.get("/system/status").json()["active"] == 0 or None)


@pytest.fixture
def tour(api: httpx2.Client, laptop: Laptop) -> Tour:
    return Tour(api, laptop)


def test_every_word_has_a_use() -> None:
    assert set(NEEDED) <= USES.keys()


@pytest.mark.parametrize(("room", "word"), sampled(NEEDED, 2))
def test_without_a_word_its_room_is_refused(tour: Tour, room: str, word: str) -> None:
    guard, role = tour.laptop.guard, _role(tour.laptop, room)
    with _without(tour.laptop, role, room, word):
        guard.refused.clear()
        USES[room, word](tour)
        refused = wait_for(lambda: set(guard.refused) or None)
    lost = _lost(room, word)
    assert {name for name, _, _ in refused} == {role}
    assert all(_covers(lost, action, resource) for _, action, resource in refused), refused
    if word == "models:invoke":
        wait_for(lambda: is_told_by_the_run(tour, "is not authorized to perform: bedrock:Invoke") or None)
        return
    wait_for(lambda: _told(tour.laptop, room, refused) or None)


def _told(laptop: Laptop, room: str, refused: set[tuple[str, str, str]]) -> bool:
    """Whether the room's log has AWS's words; SQS writes actions in small letters."""
    log = (laptop.log_dir / f"{room}.log").read_text(encoding="utf-8").lower()
    said = [f"is not authorized to perform: {action} on resource: ".lower() for _, action, _ in refused]
    return any(words in log for words in said)


def _role(laptop: Laptop, room: str) -> str:
    name = ARNS.names.function(room)
    arn = laptop.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    return str(arn.rsplit("/", 1)[-1])


def _lost(room: str, word: str) -> list[Allow]:
    """What a word gives that no other word of the room gives, or only on other conditions."""
    kept = [allow for other in ROOMS[room].grants if other != word for allow in WORDS[other](ARNS).allows]
    return [
        Allow(tuple(action for action in allow.actions if not _covers(same, action, resource)), (resource,))
        for allow in WORDS[word](ARNS).allows
        for same in ([one for one in kept if one.conditions in ({}, allow.conditions)],)
        for resource in allow.resources
    ]


def _covers(allows: Iterable[Allow], action: str, resource: str) -> bool:
    return any(
        action in allow.actions and any(fnmatchcase(resource, pattern) for pattern in allow.resources)
        for allow in allows
    )


@contextmanager
def _without(laptop: Laptop, role: str, room: str, word: str) -> Iterator[None]:
    """Rewrite the room's role as it would be without one word, and give it back afterwards."""
    iam = laptop.client("iam")
    given = iam.get_role_policy(RoleName=role, PolicyName="Grants")["PolicyDocument"]
    others = [allow for other in ROOMS[room].grants if other != word for allow in WORDS[other](ARNS).allows]
    statements = [
        {
            "Effect": "Allow",
            "Action": list(allow.actions),
            "Resource": list(allow.resources),
            **({"Condition": dict(allow.conditions)} if allow.conditions else {}),
        }
        for allow in others
    ] or [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": ARNS.function_logs(room)}]

    def put(document: dict[str, Any]) -> None:
        iam.put_role_policy(RoleName=role, PolicyName="Grants", PolicyDocument=json.dumps(document))

    put({"Version": "2012-10-17", "Statement": statements})
    try:
        yield
    finally:
        put(given)
