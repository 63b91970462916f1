"""A mistake in a file is answered with the file, the word and the likely right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.bundling import Checkout
from infra.config import FOLDER, load_config, stages
from infra.config_errors import DefinitionError
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, load_functions
from tests.infra.small_checkout import GREETER, GUARD, a_room

WORDS = grant_words(["agent-run"])


def load(folder: Path, **tomls: str) -> list[FunctionConfig]:
    for name, toml in tomls.items():
        a_room(Checkout.at(folder), name, toml)
    return load_functions(folder / "functions", WORDS | grant_words(["greet"]))


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


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('providers.house={kind="openai-chat"}', r"providers\.house: .*url: .*no address of its own"),
        ('providers.house={kind="openapi"}', r"providers\.house\.kind: .*'openai-chat'"),
        ('providers.house={url="https://models.example"}', r"providers\.house\.kind: Field required"),
        (
            'providers.house={kind="openai", urll="https://x"}',
            r"unknown word 'providers\.house\.urll'; did you mean 'providers\.house\.url'\?",
        ),
        ('providers.House={kind="openai"}', r"providers\.House\.\[key\]: "),
        (
            'providers.anthropic={kind="openai"}',
            r"anthropic: kind: .*give a server of kind 'openai' another name",
        ),
        ('providers.openai={url="http://models.example"}', r"providers\.openai\.url: .*write https"),
        ('providers.openai={url="https://me:pass@models.example"}', r"providers\.openai\.url: .*no password"),
        ('providers.openai={url="models.example/v1"}', r"providers\.openai\.url: .*no address"),
        ('providers.openai={url="https://models.example?key=1"}', r"providers\.openai\.url: .*query"),
        ('providers.bedrock={key_env="KEY"}', r"providers\.bedrock: .*key_env: Bedrock takes no key"),
        ('providers.openai={key_env="AWS_ACCESS_KEY_ID"}', r"providers\.openai\.key_env: .*AWS"),
        ("providers.openai={requests_per_minute=0}", r"providers\.openai\.requests_per_minute: .*1"),
        ("providers=[]", r"providers: Input should be a valid dictionary"),
        ("providers.openai=3", r"providers\.openai: "),
    ],
)
def test_a_wrong_provider(setting: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        load_config("laptop", settings=[setting])


def test_a_providers_key_has_no_place_in_a_stages_file() -> None:
    with pytest.raises(DefinitionError, match="unknown word") as told:
        load_config("prod", settings=['providers.openai={key="sk-planted"}'])
    assert "sk-planted" not in str(told.value)


def test_more_providers_than_a_functions_variables_hold() -> None:
    many = [f'providers.p{one}={{kind="openai", url="https://models{one}.example.com"}}' for one in range(60)]
    with pytest.raises(DefinitionError, match=r"providers: .*bytes; keep them under"):
        load_config("laptop", settings=many)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1",
        "http://[::1]:9",
        "http://10.0.0.7/v1",
        "http://gpu-box:8000",
        "http://a.internal",
    ],
)
def test_a_server_in_ones_own_network_may_speak_plain_http(url: str) -> None:
    config = load_config("laptop", settings=[f'providers.house={{kind="openai-chat", url="{url}"}}'])
    assert config.providers["house"].url == url


def test_a_setting_changes_one_word_of_a_provider(tmp_path: Path) -> None:
    file = (FOLDER / "laptop.toml").read_text(encoding="utf-8")
    entries = '[providers.openai]\ntokens_per_minute = 5\n[providers.house]\nkind = "openai"\nurl = "https://x.example"\n'
    (tmp_path / "laptop.toml").write_text(f"{file}\n{entries}", encoding="utf-8")
    config = load_config("laptop", tmp_path, ['providers.openai.url="http://127.0.0.1:1"'])
    assert set(config.providers) == {"openai", "house"}
    assert (config.providers["openai"].tokens_per_minute, config.providers["openai"].url) == (
        5,
        "http://127.0.0.1:1",
    )
