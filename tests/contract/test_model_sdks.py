"""The function that calls models loads the SDK of whoever answers, when it does, and no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stepward.testing.fake_llm import FakeProvider

ROOT = Path(__file__).parents[2]
# A process of its own, in which nothing of the tests before has been loaded.
SCRIPT = """
import json, sys
import functions.agent_advance.handler
from stepward.adapters.memory.providers import MemoryPools, MemoryProviderKeys
from stepward.adapters.memory.providers import MemoryLimitStore
from stepward.adapters.provider_limits import SharedLimits
from stepward.models.cards import listed_card
from stepward.models.gateway import Gateway, Providers
from stepward.ports.providers import ProviderEntry, with_built_in
from tests.support.builders import an_agent_body
from tests.support.driver import World

model, kind, url = sys.argv[1:]
world = World()
if kind != "scripted":
    entries = with_built_in([ProviderEntry(name=kind, kind=kind, base_url=url)])
    pools = {f"{kind}/shared": json.dumps({"keys": [{"id": "one", "value": "k"}]})}
    keys = MemoryProviderKeys(MemoryPools(pools))
    providers = Providers(entries, keys, SharedLimits(MemoryLimitStore(), world.clock))
    world.backend = Gateway([listed_card(model)], 1_024, providers)
run = world.run(an_agent_body(model=model))
sdks = {"anthropic": "anthropic", "openai": "openai", "bedrock": "stepward.adapters.aws.bedrock"}
loaded = [name for name, module in sdks.items() if module in sys.modules]
print(json.dumps({"status": run["status"], "output": run["output"], "loaded": loaded}))
"""


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("claude-haiku-5-5", "scripted"),
        ("claude-haiku-5-5", "anthropic"),
        ("gpt-6-luna", "openai"),
        ("bedrock/claude-haiku-5-5", "bedrock"),
    ],
    ids=lambda value: value.replace("/", "-"),
)
def test_only_the_sdk_of_whoever_answers_is_loaded(provider: FakeProvider, model: str, kind: str) -> None:
    provider.script("Done.")
    url = provider.openai_url if kind == "openai" else provider.url
    paths = os.pathsep.join([str(ROOT), str(ROOT / "shared")])
    command = [sys.executable, "-c", SCRIPT, model, kind, url]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}
    )
    assert done.returncode == 0, done.stderr
    loaded = [] if kind == "scripted" else [kind]
    assert json.loads(done.stdout) == {"status": "COMPLETED", "output": "Done.", "loaded": loaded}
