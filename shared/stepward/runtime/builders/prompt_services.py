"""Make the services of prompts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepward.domain.prompt_records import RegisteredPrompt
    from stepward.prompts.fill import FillPrompts
    from stepward.prompts.labels import PromptLabels
    from stepward.prompts.lookup import ShowPrompts
    from stepward.prompts.register import RegisterPrompt
    from stepward.prompts.render import Renderer, RenderPrompt
    from stepward.runtime.container import Container

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches


class PromptServices:
    """Services of prompts, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    @cached_property
    def register(self) -> RegisterPrompt:
        """Checks and keeps versions."""
        from stepward.prompts.register import RegisterPrompt

        return RegisterPrompt(self._ports.prompt_registry, self._ports.clock)

    def version_view(self, kept: RegisteredPrompt) -> dict[str, Any]:
        """Return a version as the API shows it.

        Args:
            kept: The version.
        """
        from stepward.prompts.lookup import version_view

        return version_view(kept)

    @cached_property
    def show(self) -> ShowPrompts:
        """Lists, shows and compares versions."""
        from stepward.prompts.lookup import ShowPrompts

        return ShowPrompts(self._ports.prompt_registry, lambda: self._ports.prompt_counts)

    @cached_property
    def labels(self) -> PromptLabels:
        """Names versions, and rolls names back."""
        from stepward.prompts.labels import PromptLabels

        return PromptLabels(self._ports.prompt_registry, self._ports.clock)

    @cached_property
    def renderer(self) -> Renderer:
        """Renders through the caches of this process."""
        from stepward.prompts.render import Renderer
        from stepward.runtime.metrics import count_prompt_render

        return Renderer(count_prompt_render)

    @cached_property
    def render(self) -> RenderPrompt:
        """Renders a version on request."""
        from stepward.prompts.render import RenderPrompt

        return RenderPrompt(self._ports.prompt_registry, self.renderer)

    @cached_property
    def fill(self) -> FillPrompts:
        """Fills the prompts of runs."""
        from stepward.prompts.fill import FillPrompts

        return FillPrompts(self._ports.prompt_registry, self.renderer)
