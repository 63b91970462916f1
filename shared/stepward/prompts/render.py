"""Renders prompts: checks the values, and compiles and renders only what this process has not had before."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from stepward.agents.requests import parse
from stepward.domain.errors import InvalidRequest
from stepward.domain.ids import VersionOrLabel
from stepward.domain.prompt_records import LATEST
from stepward.domain.prompts import PromptDefinition
from stepward.ports.prompts import PromptRegistry
from stepward.prompts.cache import NewestCache
from stepward.prompts.lookup import find_prompt
from stepward.prompts.template import CompiledTemplate, compile_template
from stepward.prompts.values import values_of

MOST_COMPILED: Final = 500
MOST_COMPILED_CHARS: Final = 5_000_000
MOST_RENDERED: Final = 5_000
MOST_RENDERED_CHARS: Final = 20_000_000


class RenderRequest(BaseModel):
    """The body of `POST …/render`; `key` chooses a label's version, as a run's id does."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    version: VersionOrLabel = LATEST
    variables: dict[str, Any] = Field(default_factory=dict)
    key: str | None = Field(default=None, min_length=1, max_length=200)


class Renderer:
    """Renders prompts through two caches, of compiled templates and of texts.

    Their keys are contents: equal templates and values give equal texts.

    Args:
        told: Is called after each render whether the text was there already, which is the metric of the hit rate.
    """

    def __init__(self, told: Callable[[bool], None] = lambda _: None) -> None:
        self._told = told
        self.compiled: NewestCache[str, CompiledTemplate] = NewestCache(
            MOST_COMPILED, MOST_COMPILED_CHARS, lambda template, _: len(template)
        )
        self.rendered: NewestCache[tuple[str, str], str] = NewestCache(
            MOST_RENDERED, MOST_RENDERED_CHARS, lambda key, text: len(key[1]) + len(text)
        )

    def __call__(self, prompt: PromptDefinition, given: Mapping[str, Any]) -> tuple[str, bool]:
        """Render a version; the second value tells whether the text was there already.

        Args:
            prompt: The version.
            given: Values of its variables by name.

        Raises:
            InvalidRequest: A value is missing or does not fit, the template takes too much, or nothing comes out.
        """
        values = values_of(prompt, given)
        key = (prompt.template, json.dumps(values, ensure_ascii=False))
        text, was_there = self.rendered.get(key, lambda: self._render(prompt, values))
        self._told(was_there)
        return text, was_there

    def _render(self, prompt: PromptDefinition, values: Mapping[str, Any]) -> str:
        template, _ = self.compiled.get(prompt.template, lambda: compile_template(prompt.template))
        text = template.render(values)
        if not text:
            raise InvalidRequest(
                f"{prompt.id!r} {prompt.version} renders to an empty text.",
                field="template",
                fix="give values for which the template says something",
            )
        return text


@dataclass(frozen=True)
class RenderPrompt:
    """The use case behind `POST /prompts/{prompt_id}/render`."""

    registry: PromptRegistry
    renderer: Renderer

    def __call__(self, tenant: str, prompt: str, body: Any) -> dict[str, Any]:
        """Render a version, the newest by default."""
        request = parse(RenderRequest, body)
        found = find_prompt(self.registry, tenant, prompt, request.version)
        chosen = found.version_for(request.key).definition
        text, was_there = self.renderer(chosen, request.variables)
        label = found.label.label if found.label else None
        return {"id": prompt, "version": chosen.version, "label": label, "text": text, "cached": was_there}
