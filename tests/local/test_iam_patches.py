"""The patch of moto that permissions need; `test_patches_are_needed.py` proves that it is."""

from __future__ import annotations

import json

from infra.local.laptop import Laptop
from tests.local.patience import run_machine
from tests.local.probe_stack import machine


def test_task_refusals_have_the_name_that_step_functions_gives_them(laptop: Laptop) -> None:
    assert json.loads(run_machine(laptop, machine(laptop))["output"]) == {
        "caught": "Lambda.AWSLambdaException"
    }
