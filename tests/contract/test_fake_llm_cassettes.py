"""Cassettes: what a real provider said is kept without secrets and said again; another loopback provider stands for the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anthropic
import boto3
import httpx2
import openai
import pytest
from botocore.exceptions import ClientError

from stepward.testing.fake_llm import FakeProvider
from stepward.testing.fake_llm.scripts import Unreadable

KEY = "sk-ant-api03-planted-secret-0001"
ASK: Any = {
    "model": "claude-haiku-5-5",
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "Where is SO-1? My token is ghp_plantedplantedplanted1."}],
}
SAID: Any = {"thinking": "An order.", "text": "On its way.", "calls": []}


@contextmanager
def _client(provider: FakeProvider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.url, api_key=KEY, max_retries=0, timeout=20) as client:
        yield client


def _streamed(provider: FakeProvider, **more: Any) -> Any:
    with _client(provider) as client, client.messages.stream(**{**ASK, **more}) as stream:
        return stream.get_final_message()


def _recorded(folder: Path, *replies: Any) -> None:
    with FakeProvider(*replies) as real, FakeProvider(cassettes=folder, record_from=real.url) as recorder:
        for _ in replies:
            _streamed(recorder)
        assert len(real.requests) == len(replies)


def test_what_was_recorded_is_said_again(tmp_path: Path) -> None:
    with FakeProvider(SAID) as real, FakeProvider(cassettes=tmp_path, record_from=real.url) as recorder:
        first = _streamed(recorder)
        again = _streamed(recorder)
        assert len(real.requests) == 1
        assert again == first
    with FakeProvider(cassettes=tmp_path) as played:
        assert _streamed(played) == first
        assert played.requests[0].status == 200


def test_no_secret_is_written(tmp_path: Path) -> None:
    _recorded(tmp_path, SAID)
    (file,) = tmp_path.glob("*.json")
    text = file.read_text()
    assert "planted" not in text
    assert "[removed]" in text
    kept = json.loads(text)
    assert set(kept["request"]) == {"method", "path", "body"}
    assert set(kept["response"]["headers"]) == {"request-id"}


def test_a_secret_that_comes_in_pieces_is_not_kept(tmp_path: Path) -> None:
    with (
        FakeProvider({"text": f"Your key is {KEY}, is it not?"}) as real,
        FakeProvider(cassettes=tmp_path, record_from=real.url) as recorder,
        pytest.raises(anthropic.BadRequestError, match="tells a secret in the pieces of a stream"),
    ):
        _streamed(recorder)
    assert list(tmp_path.glob("*.json")) == []


def test_exchanges_of_one_request_are_played_in_their_order(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    for text in ("First.", "Second."):
        (tmp_path / text).mkdir()
        _recorded(tmp_path / text, text)
        for at, file in enumerate((tmp_path / text).glob("*.json")):
            folder.mkdir(exist_ok=True)
            number = len(list(folder.glob("*.json"))) + 1 + at
            file.rename(folder / f"{file.stem.rpartition('-')[0]}-{number}.json")
    with FakeProvider(cassettes=folder) as played:
        assert [_streamed(played).content[0].text for _ in range(3)] == ["First.", "Second.", "Second."]


def test_a_request_that_no_cassette_fits_is_told_what_differs(tmp_path: Path) -> None:
    _recorded(tmp_path, SAID)
    with FakeProvider(cassettes=tmp_path) as played:
        with pytest.raises(anthropic.BadRequestError) as caught:
            _streamed(played, messages=[{"role": "user", "content": "Where is SO-2?"}])
        assert "no cassette in" in str(caught.value)
        assert "which differs at messages.0.content" in str(caught.value)
        with _client(played) as client, pytest.raises(anthropic.BadRequestError, match="differs at stream"):
            client.messages.create(**ASK)
    (file,) = tmp_path.glob("*.json")
    file.write_text("{}")
    with (
        FakeProvider(cassettes=tmp_path) as played,
        pytest.raises(anthropic.BadRequestError, match="cannot be read"),
    ):
        _streamed(played)


def test_errors_that_say_nothing_of_the_request_are_not_kept(tmp_path: Path) -> None:
    with FakeProvider(SAID) as real, FakeProvider(cassettes=tmp_path, record_from=real.url) as recorder:
        for name in ("401", "429", "529"):
            real.fault(name)
            with pytest.raises(anthropic.APIStatusError):
                _streamed(recorder)
        assert list(tmp_path.glob("*.json")) == []
        with _client(recorder) as client, pytest.raises(anthropic.NotFoundError):
            client.messages.create(**{**ASK, "model": "claude-none"})
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_a_provider_that_is_not_there_is_named(tmp_path: Path) -> None:
    with FakeProvider() as gone:
        url = gone.url
    with (
        FakeProvider(cassettes=tmp_path, record_from=url) as recorder,
        pytest.raises(anthropic.APIStatusError, match="cannot be asked: ConnectError"),
    ):
        _streamed(recorder)


def test_faults_break_what_is_played_too(tmp_path: Path) -> None:
    _recorded(tmp_path, SAID)
    with FakeProvider(cassettes=tmp_path) as played:
        played.fault("stream_error")
        with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
            _streamed(played)
        assert _streamed(played).content[1].text == "On its way."


def test_openai_is_recorded_too(tmp_path: Path) -> None:
    def ask(provider: FakeProvider) -> Any:
        with openai.OpenAI(base_url=provider.openai_url, api_key=KEY, max_retries=0) as client:
            with client.responses.stream(model="gpt-6-luna", input="Hi.", store=False) as stream:
                response = stream.get_final_response()
            chunks = list(
                client.chat.completions.create(model="gpt-6-luna", messages=ASK["messages"], stream=True)
            )
            return response, chunks

    with FakeProvider(SAID, SAID) as real, FakeProvider(cassettes=tmp_path, record_from=real.url) as recorder:
        first = ask(recorder)
    with FakeProvider(cassettes=tmp_path) as played:
        assert ask(played) == first


def test_bedrock_is_recorded_with_a_bearer_key_and_not_with_a_signature(tmp_path: Path) -> None:
    messages: Any = [{"role": "user", "content": [{"text": "Hi."}]}]
    model = "global.anthropic.claude-haiku-5-5"

    def ask(provider: FakeProvider) -> list[Any]:
        with (
            closing(
                boto3.client("bedrock-runtime", endpoint_url=provider.url, region_name="us-east-1")
            ) as client,
            closing(client.converse_stream(modelId=model, messages=messages)["stream"]) as stream,
        ):
            return list(stream)

    with FakeProvider(SAID) as real, FakeProvider(cassettes=tmp_path, record_from=real.url) as recorder:
        with pytest.raises(ClientError, match="signed for this address cannot be sent to another"):
            ask(recorder)
        bearer = {"authorization": "Bearer bedrock-api-key-planted"}
        url = f"{recorder.url}/model/{model}/converse-stream"
        assert httpx2.post(url, json={"messages": messages}, headers=bearer).status_code == 200
    assert "planted" not in next(tmp_path.glob("*.json")).read_text()
    with FakeProvider(cassettes=tmp_path) as played:
        events = ask(played)
    assert events[0] == {"messageStart": {"role": "assistant"}}
    assert events[-2] == {"messageStop": {"stopReason": "end_turn"}}


def test_a_folder_and_an_address_have_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no folder of cassettes"):
        FakeProvider(cassettes=tmp_path / "none")
    with pytest.raises(Unreadable, match="is no address to record from"):
        FakeProvider(cassettes=tmp_path, record_from="api.anthropic.com")
    with pytest.raises(Unreadable, match="give the folder of cassettes too"):
        FakeProvider(record_from="https://api.anthropic.com")
