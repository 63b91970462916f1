"""Store a real provider's answers in files, and play them again.

A file has one exchange, as JSON that people can read.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stepward.testing.fake_llm.answers import EVENT_STREAM, Answer, frame, frames
from stepward.testing.fake_llm.prompts import canonical
from stepward.testing.fake_llm.received import text_without_secrets, without_secrets_in
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.scripts import Unreadable

VERSION: Final = 1
_MOST_FILES: Final = 100_000


@dataclass(frozen=True)
class RecordedRequest:
    """A request as cassettes know it, without headers."""

    method: str
    path: str
    body: Any

    @property
    def digest(self) -> str:
        """The hash in the names of this request's files."""
        said = canonical([self.method, self.path, without_secrets_in(self.body)])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class Cassettes:
    """A folder of exchanges.

    Args:
        folder: Where the files are; it is made when something is recorded.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._played: Counter[str] = Counter()
        self._lock = threading.Lock()

    def find(self, asked: RecordedRequest) -> Answer | None:
        """Return the next answer recorded for a request; the last one repeats."""
        files = sorted(self.folder.glob(f"*-{asked.digest}-*.json"), key=_number)
        if not files:
            return None
        with self._lock:
            at = min(self._played[asked.digest], len(files) - 1)
            self._played[asked.digest] += 1
        return _answer(_read(files[at]))

    def missing(self, asked: RecordedRequest) -> Refusal:
        """Return the refusal of a request without an answer; it names the nearest one."""
        near = self._nearest(asked)
        hint = f"; the nearest is {near[0].name}, which differs at {near[1]}" if near else ""
        return Refusal(
            f"no cassette in {self.folder} fits this request ({asked.digest}){hint}. Record it with --record-from, or send what was"
            " recorded."
        )

    def keep(self, asked: RecordedRequest, answer: Answer, known: tuple[str, ...]) -> Path:
        """Write an exchange, without its secrets.

        Args:
            asked: The request.
            answer: The answer to it.
            known: Values that must not be written wherever they are.

        Returns:
            The file.

        Raises:
            Refusal: The answer has a secret split over a stream's events, which cannot be removed.
        """
        if has_split_secret(answer, known):
            raise Refusal(
                "the answer tells a secret in the pieces of a stream, so it cannot be kept; ask something else"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        name = asked.path.strip("/").replace("/", "-")[:40].replace(":", "_").replace("%", "_")
        request = {"method": asked.method, "path": asked.path, "body": without_secrets_in(asked.body, known)}
        tree = {"version": VERSION, "request": request, "response": _kept(answer, known)}
        with self._lock:
            taken = len(list(self.folder.glob(f"*-{asked.digest}-*.json")))
            file = self.folder / f"{name}-{asked.digest}-{taken + 1}.json"
            file.write_text(json.dumps(tree, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            self._played[asked.digest] += 1
        return file

    def _nearest(self, asked: RecordedRequest) -> tuple[Path, str] | None:
        """Return the exchange of this path whose body agrees longest with the request's."""
        found: list[tuple[int, Path, str]] = []
        for file in sorted(self.folder.glob("*.json"))[:_MOST_FILES]:
            request = _read(file)["request"]
            if request["path"] == asked.path:
                place, depth = _difference(request["body"], without_secrets_in(asked.body))
                found.append((depth, file, place))
        return max(found)[1:] if found else None


def _number(file: Path) -> int:
    last = file.stem.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0


def _read(file: Path) -> dict[str, Any]:
    try:
        tree: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if (
            tree["version"] == VERSION
            and {"path", "body"} <= tree["request"].keys()
            and tree["response"]["parts"] is not None
        ):
            return tree
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal(f"the cassette {file} cannot be read: {error!r}") from error
    raise Refusal(f"the cassette {file} is of version {tree['version']}, and {VERSION} is known")


def _kept(answer: Answer, known: tuple[str, ...]) -> dict[str, Any]:
    return {
        "status": answer.status,
        "content_type": answer.content_type,
        "headers": dict(answer.headers),
        "is_stream": answer.is_stream,
        "parts": [_part(part, answer, known) for part in answer.parts],
    }


def _part(part: bytes, answer: Answer, known: tuple[str, ...]) -> Any:
    if answer.content_type == EVENT_STREAM:
        ((kind, name, payload),) = frames(part)
        return {"kind": kind, "name": name, "body": without_secrets_in(json.loads(payload or b"{}"), known)}
    return text_without_secrets(part.decode(errors="replace"), known)


def _answer(tree: dict[str, Any]) -> Answer:
    said = tree["response"]
    parts = tuple(_written(part) for part in said["parts"])
    return Answer(parts, said["status"], said["content_type"], said["headers"], said["is_stream"])


def _written(part: Any) -> bytes:
    return part.encode() if isinstance(part, str) else frame(part["kind"], part["name"], part["body"])


def has_split_secret(answer: Answer, known: tuple[str, ...]) -> bool:
    """Return True if a stream holds a secret that no single event of it does."""
    if not answer.is_stream:
        return False
    said: dict[str, str] = {}
    for event in _events(answer):
        for place, text in _texts(without_secrets_in(event, known)):
            said[place] = said.get(place, "") + text
    return any(text_without_secrets(text, known) != text for text in said.values())


def _events(answer: Answer) -> Iterator[Any]:
    for part in answer.parts:
        if answer.content_type == EVENT_STREAM:
            yield from (json.loads(payload or b"{}") for _, _, payload in frames(part))
            continue
        for line in part.decode(errors="replace").splitlines():
            if line.startswith("data: {"):
                yield json.loads(line.removeprefix("data: "))


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield all texts of an event, each with its path."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in pairs:
            yield from _texts(item, f"{place}.{name}")


def _difference(kept: Any, asked: Any) -> tuple[str, int]:
    """Return the first path at which two values differ, and how many agree before it."""
    agreed = 0
    for place, one, other in _both(kept, asked, ""):
        if one != other:
            return place.lstrip(".") or "the body", agreed
        agreed += 1
    return "nothing but its secrets", agreed


def _both(one: Any, other: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from _both(one.get(name), other.get(name), f"{place}.{name}")
    elif isinstance(one, list) and isinstance(other, list):
        for at in range(max(len(one), len(other))):
            left, right = (items[at] if at < len(items) else None for items in (one, other))
            yield from _both(left, right, f"{place}.{at}")
    else:
        yield place, one, other


def check_folder(folder: Path, *, records: bool) -> Cassettes:
    """Open a folder of cassettes.

    Raises:
        Unreadable: It is not there, and nothing is to be recorded.
    """
    if not records and not folder.is_dir():
        raise Unreadable(f"{folder} is no folder of cassettes; give --record-from to make it one")
    return Cassettes(folder)
