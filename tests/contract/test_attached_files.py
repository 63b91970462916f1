"""Files that stand before the input, by each vendor's real client over loopback."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from stepward.domain.attachments import Attachment
from stepward.domain.conversation import ModelRequest
from stepward.domain.errors import ProviderRefused
from stepward.models import streams
from stepward.testing.fake_llm import FakeProvider
from tests.support.attached_files import FILES
from tests.support.model_clients import VENDORS, Vendor, answered

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.kind),
]
CONTENTS = {key: body for key, (body, _) in FILES.items()}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


def attachment(key: str) -> Attachment:
    body, kind = FILES[key]
    return Attachment.model_validate(
        {"key": key, "media_type": kind, "size_bytes": len(body), "sha256": "0" * 64}
    )


def asked(vendor: Vendor, *keys: str, **changed: Any) -> ModelRequest:
    return vendor.request(attachments=tuple(attachment(key) for key in keys), **changed)


def first_words(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the content of the first message of the user's."""
    messages = body.get("messages") or body["input"]
    content: list[dict[str, Any]] = next(one for one in messages if one["role"] == "user")["content"]
    return content


def found(part: dict[str, Any]) -> bytes:
    """Find the file in one part of a vendor's message."""
    match part:
        case {"source": {"type": "text", "data": data}}:
            return str(data).encode()
        case {"source": {"data": data}} | {"image": {"source": {"bytes": data}}}:
            return b64decode(data)
        case {"document": {"source": {"bytes": data}}}:
            return b64decode(data)
        case {"type": "image_url", "image_url": {"url": url}} | {"image_url": url} | {"file_data": url}:
            return b64decode(str(url).partition(",")[2])
        case {"file": {"file_data": url}}:
            return b64decode(str(url).partition(",")[2])
        case {"text": text}:
            return str(text).partition(":\n\n")[2].encode()
    raise AssertionError(part)


def test_every_type_stands_before_the_input_in_order(vendor: Vendor, provider: FakeProvider) -> None:
    provider.script("I see.")
    assert vendor.ask(provider, asked(vendor, *FILES), attached=CONTENTS).text == "I see."
    (request,) = [one for one in provider.requests if one.body]
    *files, said = _plain(first_words(request.body))
    assert [found(part) for part in files] == [
        CONTENTS[key] if _is_sent_as_bytes(vendor, key) else CONTENTS[key].removeprefix(b"\xef\xbb\xbf")
        for key in FILES
    ]
    assert said["text"] == "Where is SO-1?"


def _is_sent_as_bytes(vendor: Vendor, key: str) -> bool:
    return vendor.kind == "bedrock" or not key.startswith("notes/")


def test_the_beginning_stays_equal_to_the_byte(vendor: Vendor, provider: FakeProvider) -> None:
    provider.script({"calls": [{"tool": "find_order", "arguments": {"order_id": "1"}}]}, "Done.")
    keys = ("photos/1.png", "uploads/invoice.pdf")
    first = vendor.ask(provider, asked(vendor, *keys), attached=CONTENTS)
    vendor.ask(
        provider, asked(vendor, *keys, history=(answered(first, {"status": "sent"}),)), attached=CONTENTS
    )
    before, after = [first_words(one.body) for one in provider.requests if one.body]
    assert json.dumps(_plain(before)) == json.dumps(_plain(after))


def _plain(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out where a vendor's cache is to end, which moves on with the conversation."""
    return [part for part in content if "cachePoint" not in part]


def test_a_request_without_files_is_what_it_was(vendor: Vendor, provider: FakeProvider) -> None:
    provider.script("Hello.")
    vendor.ask(provider, vendor.request())
    (request,) = [one for one in provider.requests if one.body]
    said = first_words(request.body)
    assert said == "Where is SO-1?" or [part.get("text") for part in _plain(said)] == ["Where is SO-1?"]


def test_a_vendor_that_sees_no_image_says_so(vendor: Vendor, provider: FakeProvider) -> None:
    provider.script("Unseen.")
    with pytest.raises(ProviderRefused) as refused:
        vendor.ask(provider, asked(vendor, "photos/1.png"), attached={"photos/1.png": b"not an image"})
    assert "image" in refused.value.detail
    assert b64encode(b"not an image").decode() not in refused.value.detail
