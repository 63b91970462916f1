"""A mistake in a file is answered with the file, the word and the likely right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.bundling import Checkout
from infra.config import FOLDER, load_config, stages
from infra.constructs.callable_tools import tool_words
from infra.constructs.grants import grant_words
from infra.rooms import RoomSpec, load_rooms
from infra.spelling import DefinitionError
from tests.infra.small_checkout import GREETER, GUARD, a_room

WORDS = grant_words(["agent-run"]) | tool_words()


def load(folder: Path, **tomls: str) -> list[RoomSpec]:
    for name, toml in tomls.items():
        a_room(Checkout.at(folder), name, toml)
    return load_rooms(folder / "functions", WORDS | grant_words(["greet"]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("memory_mb", "memroy_mb"),
            r"greeter/function\.toml: unknown word 'memroy_mb'; did you mean 'memory_mb'\?",
        ),
        (
            ("runtime:read-write", "runtme:read"),
            r"unknown grant 'runtme:read'; did you mean 'runtime:read'\?",
        ),
        (("memory_mb = 256", "memory_mb = 64"), r"greeter/function\.toml: memory_mb: .*128"),
        (('purpose = "Greets whoever asks."', ""), r"greeter/function\.toml: purpose: Field required"),
        (("GET /greetings", "FETCH /greetings"), r"greeter/function\.toml: routes\.0: "),
        (("timeout_s = 20", "timeout_s = 31"), r"gives up after 30 seconds"),
        (("memory_mb = 256", "memory_mb = "), r"greeter/function\.toml: not valid TOML"),
    ],
)
def test_a_wrong_room(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert change[0] in GREETER
    with pytest.raises(DefinitionError, match=said):
        load(tmp_path, guard=GUARD, greeter=GREETER.replace(*change))


def test_a_wrong_word_inside_a_table(tmp_path: Path) -> None:
    toml = GREETER.replace("[environment]", "[queue]\nbatch_sise = 3\n\n[environment]")
    with pytest.raises(
        DefinitionError, match=r"unknown word 'queue\.batch_sise'; did you mean 'queue\.batch_size'\?"
    ):
        load(tmp_path, guard=GUARD, greeter=toml)


def test_words_of_later_days_are_unknown_today(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="unknown word 'websocket'"):
        load(tmp_path, guard=GUARD, greeter='websocket = ["$connect"]\n' + GREETER)


def test_two_rooms_for_one_route(tmp_path: Path) -> None:
    other = GREETER.replace("{name}", "{whom}").replace('["$default"]', "[]")
    with pytest.raises(DefinitionError, match="served by greeter and by rival"):
        load(tmp_path, guard=GUARD, greeter=GREETER, rival=other)


def test_guarded_routes_need_a_guard(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"'GET /greetings/\{name\}' needs an authorizer"):
        load(tmp_path, greeter=GREETER)


def test_one_guard_is_enough(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="these are: guard, other"):
        load(tmp_path, guard=GUARD, other=GUARD)


def test_a_guard_serves_no_route(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="can serve none of its own"):
        load(tmp_path, guard='routes = ["GET /me"]\n' + GUARD)


@pytest.mark.parametrize("stage", stages())
def test_every_stage_can_be_read(stage: str) -> None:
    assert load_config(stage).stage == stage


def test_production_cannot_be_lost_by_a_slip() -> None:
    prod = load_config("prod")
    assert (prod.removal_policy, prod.termination_protection, prod.point_in_time_recovery) == (
        "retain",
        True,
        True,
    )


def test_an_unknown_stage() -> None:
    with pytest.raises(DefinitionError, match="unknown stage 'prdo'; did you mean 'prod'"):
        load_config("prdo")


def test_an_unknown_field_of_a_stage(tmp_path: Path) -> None:
    text = (FOLDER / "prod.toml").read_text(encoding="utf-8").replace("log_level", "loglevel", 1)
    (tmp_path / "prod.toml").write_text(text, encoding="utf-8")
    with pytest.raises(
        DefinitionError, match=r"prod\.toml: unknown word 'loglevel'; did you mean 'log_level'\?"
    ):
        load_config("prod", tmp_path)


def test_a_field_too_many_in_a_stage(tmp_path: Path) -> None:
    text = (FOLDER / "prod.toml").read_text(encoding="utf-8") + "cors_origin = []\n"
    (tmp_path / "prod.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"unknown word 'cors_origin'; did you mean 'cors_origins'\?"):
        load_config("prod", tmp_path)
