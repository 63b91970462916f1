"""Registers versions of prompts; what would fail at its first render is not kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.requests import joined, parse
from stepward.domain.errors import InvalidRequest, StoreConflict
from stepward.domain.json_text import as_read
from stepward.domain.nearest import did_you_mean
from stepward.domain.prompt_records import RegisteredPrompt
from stepward.domain.prompts import MOST_PROMPT_BYTES, PromptDefinition
from stepward.domain.run_origins import Caller
from stepward.ports.clock import Clock, iso
from stepward.ports.prompts import PromptRegistry
from stepward.prompts.template import compile_template


@dataclass(frozen=True)
class RegisterPrompt:
    """The use case behind `POST /prompts`."""

    registry: PromptRegistry
    clock: Clock

    def __call__(self, by: Caller, body: Any) -> tuple[RegisteredPrompt, bool]:
        """Keep a version; the second value tells whether it is new.

        Raises:
            InvalidRequest: The definition has problems; `errors` has all of them.
            Conflict: The version is there with other content.
        """
        prompt = parse(PromptDefinition, body)
        check_prompt(prompt)
        now = iso(self.clock.now())
        offered = RegisteredPrompt(definition=prompt, created_at=now, created_by=by.principal)
        kept = self._keep(by.tenant, offered)
        return kept, kept is offered

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
    def _keep(self, tenant: str, offered: RegisteredPrompt) -> RegisteredPrompt:
        return self.registry.keep_prompt(tenant, offered)


def check_prompt(prompt: PromptDefinition) -> None:
    """Refuse a prompt that could not be rendered or kept.

    Raises:
        InvalidRequest: With a reason for each field.
    """
    faults = [*_size_faults(prompt), *_default_faults(prompt), *_template_faults(prompt)]
    if faults:
        raise joined(faults)


def _size_faults(prompt: PromptDefinition) -> Iterator[InvalidRequest]:
    size = len(prompt.model_dump_json(exclude_defaults=True).encode())
    if size > MOST_PROMPT_BYTES:
        yield InvalidRequest(
            f"the prompt takes {size:,} bytes; {MOST_PROMPT_BYTES:,} are the most.",
            field="body",
            fix="shorten its template, its defaults or its descriptions",
        )


def _default_faults(prompt: PromptDefinition) -> Iterator[InvalidRequest]:
    for name, variable in prompt.ill_typed_defaults():
        yield InvalidRequest(
            f"the default of {name!r} is {as_read(variable.default, 60)}, which is not {variable.type.value}.",
            field=f"variables.{name}.default",
            fix=f"write a default of type {variable.type.value}, or another type",
        )


def _template_faults(prompt: PromptDefinition) -> Iterator[InvalidRequest]:
    try:
        read = compile_template(prompt.template).variables
    except InvalidRequest as error:
        yield error
        return
    for name in sorted(read - prompt.variables.keys()):
        yield InvalidRequest(
            f"the template reads {name[:80]!r}, which is no variable of the prompt.",
            field=f"variables.{name[:80]}",
            fix=did_you_mean(
                name, prompt.variables, f"add it to `variables`, as in {name[:80]}: {{type: string}}"
            ),
        )
