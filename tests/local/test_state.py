"""What a laptop held is there after a kill, and a run that was under way ends with the right answer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import boto3
import httpx2
import pytest

from tests.local.patience import alive, wait_for
from tests.local.test_laptop_command import descendants

ROOT = Path(__file__).resolve().parents[2]
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "RATE_LIMITED", "BUDGET_EXCEEDED")
RUNS = 8
ATTRIBUTES = {"why": {"StringValue": "to see", "DataType": "String"}}


class Up:
    """`up --data`, in a process of its own so that it can be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "output"

    def __enter__(self) -> Self:
        state = self.folder / "state"
        (state / "laptop.json").unlink(missing_ok=True)
        options = ["--port", "0", "--state-dir", str(state), "--data", str(self.folder / "data")]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-m", "infra.local", "up", *options],
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
        try:
            wait_for(lambda: "Ctrl-C ends it" in self.told or self.process.poll() is not None or None, 300)
        except AssertionError:
            self.process.kill()  # nobody leaves a block that was never entered
            raise
        assert self.process.poll() is None, self.told
        written = state / "laptop.json"
        assert written.stat().st_mode & 0o077 == 0
        self.file: dict[str, Any] = json.loads(written.read_text())
        assert "Left out on purpose" in self.told
        assert self.file["api_key"] in self.told
        headers = {"Authorization": f"Bearer {self.file['api_key']}"}
        self.http = httpx2.Client(base_url=self.file["url"], headers=headers, trust_env=False, timeout=40)
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGINT)

    @property
    def told(self) -> str:
        return self.output.read_text()

    def end(self, number: signal.Signals) -> None:
        """End it by a signal; whatever it is, no process stays, and none but a kill leaves its file behind."""
        self.http.close()
        if self.process.poll() is None:
            processes = descendants(self.process.pid)
            assert processes
            self.process.send_signal(number)
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGABRT)
                self.process.wait()
                raise AssertionError(self.told) from None
            wait_for(lambda: None if any(map(alive, processes)) else True)
            killed = number == signal.SIGKILL
            assert self.process.returncode == (-signal.SIGKILL if killed else 0), self.told
            assert (self.folder / "state" / "laptop.json").exists() == killed
        assert "Traceback" not in self.told, self.told

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.file["endpoint"],
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )

    def run(self, ticket: str) -> str:
        body = {"input": {"ticket_id": ticket}}
        answer = self.http.post("/agents/support-refunds/runs", json=body)
        assert answer.status_code in (200, 202), answer.text
        return str(answer.json()["id"])

    def ended(self, run: str) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            content: dict[str, Any] = self.http.get(f"/runs/{run}").json()
            # The totals follow the journal's last record by a moment.
            return content if content["status"] in ENDED and content["totals"]["turns"] else None

        return wait_for(found, 300)


def facts(run: dict[str, Any]) -> dict[str, Any]:
    # What a model call cost whose reply was lost by the kill is booked as spent, so costs may differ.
    totals = run["totals"]
    return {
        "status": run["status"],
        "output": run["output"],
        "turns": totals["turns"],
        "calls": totals["tool_calls"],
    }


@pytest.mark.laptop
def test_runs_in_the_middle_of_their_calls_survive_a_kill_and_an_orderly_stop(tmp_path: Path) -> None:
    with Up(tmp_path) as first:
        assert "0 items" in first.told
        expected = facts(first.ended(first.run("T-1001")))
        listed = first.client("sqs").list_queues()["QueueUrls"]
        queue = next(url for url in listed if not url.endswith(".fifo"))
        first.client("sqs").send_message(QueueUrl=queue, MessageBody="kept", MessageAttributes=ATTRIBUTES)
        key = first.file["api_key"]
        bucket = first.client("s3").list_buckets()["Buckets"][0]["Name"]
        first.client("s3").put_object(
            Bucket=bucket, Key="tenants/acme/own.json", Body=b"{}", ContentType="application/json"
        )
        runs = [first.run("T-1001") for _ in range(RUNS)]
        first.end(signal.SIGKILL)
    with Up(tmp_path) as second:
        assert second.file["api_key"] == key
        assert [facts(second.ended(run)) for run in runs] == [expected] * RUNS
        found = second.client("s3").get_object(Bucket=bucket, Key="tenants/acme/own.json")
        assert found["ContentType"] == "application/json"
        name = queue.rsplit("/", 1)[-1]
        (message,) = second.client("sqs").receive_message(
            QueueUrl=f"{second.file['endpoint']}/123456789012/{name}", MessageAttributeNames=["All"]
        )["Messages"]
        assert (message["Body"], message["MessageAttributes"]) == ("kept", ATTRIBUTES)
        assert "go on where they were" in second.told
        shown = {run["id"] for run in second.http.get("/runs", params={"limit": 50}).json()["runs"]}
        assert set(runs) <= shown
        later = [second.run("T-1001") for _ in range(RUNS)]
        second.end(signal.SIGINT)
        left = [run for run in later if run in second.told]
        assert left
        assert f"{len(left)} runs were under way" in second.told
    with Up(tmp_path) as third:
        assert f"{len(left)} go on where they were" in third.told
        assert third.http.get("/api/health").json()["stage"] == "laptop"
        assert [facts(third.ended(run)) for run in (*later, runs[0])] == [expected] * (RUNS + 1)
        third.end(signal.SIGTERM)


@pytest.mark.laptop
def test_a_foreign_folder_is_refused_before_anything_starts(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.docx").write_text("important")
    command = [
        sys.executable,
        "-m",
        "infra.local",
        "up",
        "--port",
        "0",
        "--state-dir",
        str(tmp_path / "state"),
    ]
    done = subprocess.run(
        [*command, "--data", str(mine)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 1
    assert "thesis.docx" in done.stderr
    assert "Traceback" not in done.stderr
