"""Every template runs as it is: registered with its agents, started with its own input, answered where it waits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from infra.local.laptop import Laptop
from stepward.workflows.program.limits import MOST_EVENTS
from tests.e2e.conftest import put_dataset
from tests.e2e.ends import version_of
from tests.e2e.executions import execution_arn
from tests.local.patience import wait_for
from tests.support.draws import fixed, is_soak

pytestmark = pytest.mark.laptop

TEMPLATES = Path(__file__).resolve().parents[2] / "shared" / "stepward" / "templates"
LAST = "csv-rows"
"""Its many tasks keep a machine busy, so that it begins when all others run."""
FOLDERS = sorted(
    (folder for folder in TEMPLATES.iterdir() if (folder / "workflow.yaml").is_file()),
    key=lambda folder: (folder.name == LAST, folder.name),
)
APPROVE = {"decision": "approve"}
TAKEN = {"taken_by": "Ada", "rolled_back": True}
DECISIONS: dict[str, list[dict[str, Any]]] = {
    "incident-triage": [{**APPROVE, "form": TAKEN}],
    "onboarding": [{**APPROVE, "form": {"team": "search", "laptop": "small", "travels": False}}],
    "quality-gate": [{"decision": "deny", "comment": "Too many faults."}],
    "refund-approval": [APPROVE],
    "review-machine": [{"decision": "deny", "comment": "Say when."}, APPROVE],
}
"""What people say, in the order in which they are asked."""
CALLS = {"webhook-wait": {"shipped": True, "parcel": "P-1"}}
"""What comes in by a call from outside."""
ENDS = {"quality-gate": "FAILED"}
"""How those end that end otherwise than well."""
BROKEN = 500
"""The row of the long table that is no number stands in the middle of all."""
ROWS = fixed(1000, 120)
VALUE = 99803.5 if is_soak() else 11472.5
OUTPUTS: dict[str, Any] = {
    "batch": {"report": {"asked": 5, "open": 3, "answered": 3}},
    "csv-rows": {"rows": ROWS, "broken": 1, "value": VALUE},
    "document-intake": {"filed": True, "document": {"kind": "invoice", "folder": "tools/invoice"}},
    "draft-until-good": {"points": 9, "rounds": 2},
    "example-a-e": {
        "budget": "Finance sets aside 24000 EUR. Inventory orders 1320 items. Staff plans 6 people."
    },
    "incident-triage": {"severity": "sev1", "team": "storefront", "taken": {"form": TAKEN}},
    "nested": {"total": 319.8, "labels": ["2 x Lamp", "1 x Desk"]},
    "nightly-report": "2027-03-02: 240 orders for 10310.00 EUR; 27 tickets opened, 35 closed; stock is missing.",
    "onboarding": {"team": "search", "welcome": "Welcome, Ada, the team search is glad that you are here."},
    "quality-gate": None,
    "refund-approval": {"paid": True, "amount": "240.00", "letter": "Dear Ada, we refund 240.00 EUR."},
    "research-judge": {"question": "Should we move the order system this year?", "verdict": "Of 3 findings"},
    "review-machine": {
        "approved": True,
        "result": "Done: Write the note on the new opening hours. (Say when.)",
    },
    "webhook-wait": {"shipped": True, "parcel": "P-1"},
}
"""The part of each output that says that the template did what it is for; a text is how it begins."""


@dataclass
class Played:
    """A template's run, and what it was answered so far."""

    name: str
    run: str
    decided: Counter[str] = field(default_factory=Counter)
    called: bool = False
    found: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def boss(laptop: Laptop) -> Iterator[httpx2.Client]:
    """Somebody who may decide: who starts a run may not, unless its workflow says so."""
    headers = {"Authorization": f"Bearer {laptop.issue_key('acme', 'boss')}"}
    with httpx2.Client(base_url=laptop.url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def played(laptop: Laptop, api: httpx2.Client, boss: httpx2.Client) -> dict[str, Played]:
    """Start every template, and answer what they ask until all have ended."""
    runs = {folder.name: Played(folder.name, started(laptop, api, folder)) for folder in FOLDERS}
    wait_for(lambda: _all_ended(api, boss, list(runs.values())) or None, limit_s=150)
    return runs


def started(laptop: Laptop, api: httpx2.Client, folder: Path) -> str:
    for file in folder.glob("datasets/*"):
        put_dataset(laptop, file.name, file.read_bytes())
    for file in folder.glob("agents/*.yaml"):
        answer = api.post("/agents", json=yaml.safe_load(file.read_text()))
        assert answer.status_code in (200, 201), f"{file}: {answer.text}"
    for file in (*sorted(folder.glob("workflows/*.yaml")), folder / "workflow.yaml"):
        head = {"content-type": "application/yaml"}
        version_of(api, api.post("/workflows", content=file.read_bytes(), headers=head, params={"wait": 25}))
    workflow = yaml.safe_load((folder / "workflow.yaml").read_text())["id"]
    answer = api.post(f"/workflows/{workflow}/runs", json={"input": given_to(folder)})
    assert answer.status_code in (200, 202), f"{folder.name}: {answer.text}"
    return str(answer.json()["id"])


def given_to(folder: Path) -> Any:
    """Read a template's own input; of the long table only rows around the broken one, unless this is a soak."""
    given = json.loads((folder / "input.json").read_text())
    if folder.name == LAST:
        heading, *rows = given["csv"].splitlines()
        given["csv"] = "\n".join([heading, *rows[BROKEN - ROWS // 2 : BROKEN + ROWS // 2]])
    return given


def _all_ended(api: httpx2.Client, boss: httpx2.Client, runs: list[Played]) -> bool:
    waiting = api.get("/approvals", params={"limit": 100}).json()["approvals"]
    for each in runs:
        if each.found.get("ended_at"):
            continue
        for approval in (one for one in waiting if one["run"] == each.run):
            _decide(boss, each, approval)
        each.found = api.get(f"/runs/{each.run}").json()
        _call(api, each)
    return all(each.found["ended_at"] for each in runs)


def _decide(boss: httpx2.Client, each: Played, approval: dict[str, Any]) -> None:
    said = DECISIONS[each.name][min(each.decided.total(), len(DECISIONS[each.name]) - 1)]
    if each.decided[approval["id"]]:
        return
    each.decided[approval["id"]] += 1
    answer = boss.post(f"/approvals/{approval['id']}/decision", json=said)
    assert answer.status_code == 200, f"{each.name}: {answer.text}"


def _call(api: httpx2.Client, each: Played) -> None:
    path = next((task["callback"] for task in each.found["tasks"] if "callback" in task), None)
    if path and not each.called:
        each.called = True
        assert api.post(path, json=CALLS[each.name]).status_code == 200


@pytest.mark.parametrize("name", [folder.name for folder in FOLDERS])
def test_a_template_runs_to_its_end_as_it_is(played: dict[str, Played], name: str) -> None:
    found = played[name].found
    assert found["status"] == ENDS.get(name, "COMPLETED"), (
        found.get("error"),
        found["report"],
        found["tasks"][:30],
    )
    assert fits(OUTPUTS[name], found["output"]), found["output"]
    assert played[name].decided.total() == len(DECISIONS.get(name, ()))


@pytest.mark.parametrize("name", [folder.name for folder in FOLDERS])
def test_what_a_template_cost_lies_within_its_plan(
    api: httpx2.Client, played: dict[str, Played], name: str
) -> None:
    found = played[name].found
    planned = api.get(f"/workflows/{found['workflow']}/plan").json()["plan"]["aws"]
    assert found["cost"]["aws_usd_micros"] <= planned["most_usd_micros"]
    if found["status"] != "FAILED":
        assert planned["least_usd_micros"] <= found["cost"]["aws_usd_micros"]
    children = [task for task in found["tasks"] if task.get("child")]
    assert found["cost"]["runs_aws_usd_micros"] == sum(task["runs_aws_usd_micros"] for task in children)
    assert bool(children) == (found["cost"]["runs_aws_usd_micros"] > 0)


def test_what_the_gate_staged_is_undone(played: dict[str, Played]) -> None:
    assert played["quality-gate"].found["report"]["undone"] == ["stage"]


@pytest.mark.sampled
def test_many_rows_stay_far_below_the_events_of_a_run(
    laptop: Laptop, api: httpx2.Client, played: dict[str, Played]
) -> None:
    found = played[LAST].found
    assert found["report"]["counts"] == {"COMPLETED": ROWS + 3}  # the broken row is read and counted, too
    events = laptop.history(execution_arn(api, found["id"]))
    assert len(events) * 1000 / ROWS < MOST_EVENTS / 3


@pytest.fixture
def trigger(api: httpx2.Client, played: dict[str, Played], request: pytest.FixtureRequest) -> Iterator[str]:
    """Make a template's trigger; it goes after the test, so that it takes nobody's files."""
    body = yaml.safe_load((TEMPLATES / request.param / "trigger.yaml").read_text())
    answer = api.post("/triggers", json=body)
    assert answer.status_code == 201, answer.text
    yield str(body["id"])
    api.delete(f"/triggers/{body['id']}")


@pytest.mark.parametrize("trigger", ["document-intake"], indirect=True)
def test_a_file_that_is_put_into_the_inbox_is_taken_in(
    laptop: Laptop, api: httpx2.Client, trigger: str
) -> None:
    content = json.loads((TEMPLATES / trigger / "input.json").read_text())["content"]
    bucket = laptop.physical_id("AWS::S3::Bucket")
    put = laptop.client("s3").put_object
    put(Bucket=bucket, Key="tenants/acme/inbox/drills.json", Body=json.dumps(content).encode())
    run = wait_for(lambda: api.get(f"/triggers/{trigger}").json()["state"].get("last_run"))
    found = wait_for(lambda: ((seen := api.get(f"/runs/{run}").json())["ended_at"] and seen) or None)
    assert fits({**OUTPUTS[trigger]["document"], "key": "inbox/drills.json"}, found["output"]["document"])


@pytest.mark.parametrize(
    ("trigger", "given"),
    [
        ("batch", {"tickets": ["B-1", "B-2", "B-3", "B-4"]}),
        ("nightly-report", {"day": "2027-02-28"}),
    ],
    indirect=["trigger"],
)
def test_a_schedule_gives_a_template_what_it_takes(api: httpx2.Client, trigger: str, given: Any) -> None:
    event = {"time": "2027-03-01T02:00:00Z"}
    tried = api.post(f"/triggers/{trigger}/test", json={"event": event}).json()
    assert tried["would_start"]["input"] == given, tried


def fits(expected: Any, found: Any) -> bool:
    """Whether what is expected is part of what was found."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(fits(one, found.get(name)) for name, one in expected.items())
    if isinstance(expected, str):
        return isinstance(found, str) and found.startswith(expected)
    return bool(expected == found)
