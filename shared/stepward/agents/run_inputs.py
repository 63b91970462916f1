"""Check a run's input by the agent's schema, and its files by what the models take."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final, get_args

from stepward.domain.agents import AgentDefinition
from stepward.domain.attachments import KINDS_BY_ENDING, MOST_ALL_BYTES, Attachment, MediaType, media_type_of
from stepward.domain.data_paths import RULE, is_data_path
from stepward.domain.errors import AttachmentChanged, InvalidRequest, NotFound, ToolFailed
from stepward.domain.json_schemas import Schema, fault_of_schema, faults_of_value
from stepward.models.attachments import fault_of
from stepward.models.cards import card_of
from stepward.ports.tool_services import Datasets

_MOST_FAULTS: Final = 20
_KINDS: Final = ({"object"}, {"string"}, {"object", "string"})
_FIX: Final = (
    "write a JSON Schema, as in {type: object, properties: {order_id: {type: string}}, required: [order_id]}"
)


def check_input_schema(agent: AgentDefinition) -> None:
    """Refuse a schema that is not supported, or that no input could fit.

    Raises:
        InvalidRequest: It has words that are not checked, or wants neither an object nor a text.
    """
    schema = agent.input_schema
    if schema is None:
        return
    fault = fault_of_schema(schema, "input_schema")
    kinds = schema.get("type")
    if not fault and (not kinds or set([kinds] if isinstance(kinds, str) else kinds) not in _KINDS):
        fault = "input_schema: an input is an object or a text, so its `type` is object or string"
    if fault:
        raise InvalidRequest(f"{fault}.", field="input_schema", fix=_FIX)


def input_faults(agent: AgentDefinition, given: Any, computed: Collection[str] = ()) -> list[str]:
    """List where an input does not fit; each fault begins with its path.

    For example: `input.order_id: it is missing`.

    Args:
        agent: Whose `input_schema` counts; without one everything fits.
        given: The input.
        computed: Top-level names whose values are not known yet; they are not checked.

    Returns:
        At most 20 faults, in the schema's order.
    """
    if agent.input_schema is None:
        return []
    # As for workflows: what the schema does not name is allowed at the top, unless it says otherwise.
    schema: Schema = {"additionalProperties": True, **agent.input_schema}
    if computed:
        left = {name: one for name, one in schema.get("properties", {}).items() if name not in computed}
        required = [name for name in schema.get("required", []) if name not in computed]
        schema = {**schema, "properties": left, "required": required}
        given = {name: one for name, one in given.items() if name not in computed}
    return list(islice(faults_of_value(given, schema, "input"), _MOST_FAULTS))


def check_given(agent: AgentDefinition, given: Any) -> None:
    """Refuse an input that does not fit.

    Raises:
        InvalidRequest: With the path of each value that does not fit as its field.
    """
    faults = [one.partition(": ") for one in input_faults(agent, given)]
    if not faults:
        return
    fix = f"GET /agents/{agent.id} shows its `input_schema`"
    raise InvalidRequest(
        f"the input does not fit: {''.join(faults[0])}.",
        field=faults[0][0],
        fix=fix,
        errors=[{"field": path, "detail": said, "fix": "fix the input"} for path, _, said in faults],
    )


_TAKEN: Final = "attach PNG, JPEG, GIF, WebP, PDF, or UTF-8 text named .txt, .md or .csv"


def attachments_of(datasets: Datasets, tenant: str, keys: Sequence[str]) -> tuple[Attachment, ...]:
    """Read the files that a start names, and describe them.

    Args:
        datasets: Where the tenant's files are.
        tenant: Whose.
        keys: Their paths within the tenant's files.

    Returns:
        The files, in the order named.

    Raises:
        InvalidRequest: A path leads elsewhere or to nothing, or a file is none that a model takes; `field` names which.
    """
    for at, key in enumerate(keys):
        if not is_data_path(key):
            raise _refused(at, f"{key[:80]!r} is not a path of a data file.", f"write {RULE}")
        if key in keys[:at]:
            raise _refused(at, f"{key!r} is attached twice.", "name each file once")
    found, total = list[Attachment](), 0
    for at, key in enumerate(keys):
        found.append(_attachment(at, key, _body(datasets, tenant, at, key)))
        total += found[-1].size_bytes
        if total > MOST_ALL_BYTES:
            detail = f"with {key!r} the attachments have {total:,} bytes; together they may have {MOST_ALL_BYTES:,}."
            raise _refused(at, detail, "attach fewer or smaller files")
    return tuple(found)


def _body(datasets: Datasets, tenant: str, at: int, key: str) -> bytes:
    try:
        file = datasets.read(tenant, key)
    except NotFound as error:
        fix = f"stepward data put {key} FILE"
        raise _refused(at, f"there is no data file {key!r} for this tenant.", fix) from error
    except ToolFailed as error:
        raise _refused(at, error.detail, "attach a smaller file") from error
    assert file is not None  # no version was known
    return file.body


def _attachment(at: int, key: str, body: bytes) -> Attachment:
    if not body:
        raise _refused(at, f"{key!r} has 0 bytes.", "upload the file again")
    media_type = _media_type(at, key, body)
    found = Attachment(
        key=key, media_type=media_type, size_bytes=len(body), sha256=hashlib.sha256(body).hexdigest()
    )
    if len(body) > found.most_bytes:
        kind = "an image" if found.is_image else "a document"
        detail = f"{key!r} has {len(body):,} bytes; {kind} may have {found.most_bytes:,}."
        raise _refused(at, detail, "attach a smaller file")
    return found


def _media_type(at: int, key: str, body: bytes) -> MediaType:
    """Detect the type by content; refuse a file whose name promises another type."""
    ending = key.rpartition("/")[2].rpartition(".")[2].lower()
    named, seen = KINDS_BY_ENDING.get(ending), media_type_of(body)
    if seen == "text/plain" and named and named.startswith("text/"):
        seen = named
    if named and named != seen:
        raise _refused(
            at, f"{key!r} is no {named}: its content is {seen or 'of no known type, or not whole'}.", _TAKEN
        )
    if seen is None or (named is None and seen.startswith("text/")):
        raise _refused(at, f"{key!r} is of no type that models take.", _TAKEN)
    return next(one for one in get_args(MediaType) if one == seen)


def check_taken(agent: AgentDefinition, attachments: Sequence[Attachment]) -> None:
    """Refuse files that one of the agent's models cannot be shown.

    Raises:
        InvalidRequest: With the file's place as its field.
    """
    if not attachments:
        return
    for name in (agent.model, *agent.fallbacks):
        card = card_of(name)
        # Whether an unlisted model takes files is unknown; so it is shown none.
        fault = fault_of(attachments, card.capabilities if card else None, card.provider if card else "")
        if fault:
            at, detail = fault
            fix = (
                "use an agent whose models take it, or start the run without it; `stepward models` lists them"
            )
            raise _refused(at, f"the model {name!r} {detail}", fix)


def contents_of(datasets: Datasets, tenant: str, attachments: Sequence[Attachment]) -> Mapping[str, bytes]:
    """Read a run's files for its model; a process reads each once.

    Returns:
        Their bytes by key.

    Raises:
        AttachmentChanged: One is not what it was when the run started.
    """
    return dict(_contents(datasets, tenant, attachments))


def _contents(
    datasets: Datasets, tenant: str, attachments: Sequence[Attachment]
) -> Iterator[tuple[str, bytes]]:
    for one in attachments:
        yield one.key, _content(datasets, tenant, one.key, one.sha256)


@lru_cache(maxsize=10)
def _content(datasets: Datasets, tenant: str, key: str, sha256: str) -> bytes:
    try:
        file = datasets.read(tenant, key)
    except (NotFound, ToolFailed) as error:
        raise _changed(key, "is gone" if isinstance(error, NotFound) else "is another one") from error
    if file is None or hashlib.sha256(file.body).hexdigest() != sha256:
        raise _changed(key, "is another one")
    return file.body


def _changed(key: str, how: str) -> AttachmentChanged:
    return AttachmentChanged(
        f"the attached file {key!r} {how} since the run started; keep it unchanged until its runs have ended."
    )


def _refused(at: int, detail: str, fix: str) -> InvalidRequest:
    return InvalidRequest(detail, field=f"attachments.{at}", fix=fix)
