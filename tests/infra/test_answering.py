"""A stage says who answers where a start does not: its configuration reaches every function that starts runs."""

from __future__ import annotations

import pytest

from infra.config import load_config, stages
from infra.config_errors import DefinitionError
from stepward.runtime.config import Settings
from tests.infra.assembly_reading import Assembly

STARTING = ("runs_api", "workflows_api", "trigger_events", "webhooks")
FORETELLING = ("costs_api", "triggers_api")


@pytest.mark.parametrize("function", [*STARTING, *FORETELLING])
def test_who_starts_runs_knows_who_answers(prod: Assembly, function: str) -> None:
    variables = prod.function(function)["Environment"]["Variables"]
    settings = Settings.read({name: variables[name] for name in ("REHEARSALS", "CHARGE_REHEARSALS")})
    config = load_config("prod")
    assert (settings.rehearsals, settings.charge_rehearsals) == (config.rehearsals, config.charge_rehearsals)


@pytest.mark.parametrize("said", [True, False])
def test_a_stages_word_is_read_as_it_was_written(said: bool) -> None:
    config = load_config("dev", settings=[f"rehearsals={str(said).lower()}"])
    assert Settings.read({"REHEARSALS": str(config.rehearsals)}).rehearsals is said


def test_no_stage_that_comes_with_us_lets_models_answer_unasked() -> None:
    configs = [load_config(stage) for stage in stages()]
    assert {(config.rehearsals, config.charge_rehearsals) for config in configs} == {(True, False)}


@pytest.mark.parametrize("setting", ['rehearsals="maybe"', "charge_rehearsals=3", 'charge_rehearsal="no"'])
def test_what_is_no_yes_or_no_is_refused(setting: str) -> None:
    with pytest.raises(DefinitionError, match="rehearsal"):
        load_config("dev", settings=[setting])
