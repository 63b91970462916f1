"""The prompts' part of the client: versioned templates, their labels, and what they render to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from stepward.sdk.errors import BadCall
from stepward.sdk.prompt_shapes import (
    PromptArm,
    PromptArmCounts,
    PromptDetail,
    PromptDiff,
    PromptLabel,
    PromptLabels,
    PromptPage,
    PromptVersion,
    PromptVersions,
    RenderedPrompt,
)
from stepward.sdk.transport import Transport, path_to


class PromptClient:
    """Register, read, compare, render and label prompts: `stepward.prompts`.

    Example:
        >>> stepward.prompts.list()["next_cursor"] is None
        True
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def register(self, prompt: Mapping[str, Any]) -> PromptVersion:
        """Register one version of a prompt.

        The same version with the same content again changes nothing.

        Args:
            prompt: Its fields, as its YAML file has them.

        Returns:
            The version that is kept.

        Raises:
            ApiError: `InvalidRequest` with all problems in `errors`, or `Conflict` for other content.
        """
        return cast("PromptVersion", self._wire.post("/prompts", dict(prompt)))

    def list(self, *, limit: int | None = None, cursor: str | None = None) -> PromptPage:
        """List prompts by id, one page at a time.

        Args:
            limit: Entries a page, 1 to 100. Default: 20.
            cursor: The `next_cursor` of the page before.

        Returns:
            The page.

        Raises:
            ApiError: A value is invalid; `field` names it.
        """
        return cast("PromptPage", self._wire.get("/prompts", {"limit": limit, "cursor": cursor}))

    def get(self, prompt_id: str, *, version: str | None = None) -> PromptDetail:
        """Return one version of a prompt.

        Args:
            prompt_id: The prompt's id.
            version: A version or a label. Default: the newest version.

        Returns:
            The version; of a label with several, the one with the greatest weight.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("PromptDetail", self._wire.get(path_to("prompts", prompt_id), {"version": version}))

    def versions(
        self, prompt_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> PromptVersions:
        """List a prompt's versions, the newest first.

        Args:
            prompt_id: The prompt's id.
            limit: Entries a page, 1 to 100. Default: 20.
            cursor: The `next_cursor` of the page before.

        Returns:
            The page.

        Raises:
            ApiError: `NotFound`.
        """
        query = {"limit": limit, "cursor": cursor}
        return cast("PromptVersions", self._wire.get(path_to("prompts", prompt_id, "versions"), query))

    def diff(self, prompt_id: str, from_version: str, to_version: str | None = None) -> PromptDiff:
        """Compare two versions of a prompt.

        Args:
            prompt_id: The prompt's id.
            from_version: A version or a label.
            to_version: A version or a label. Default: the newest version.

        Returns:
            What differs.

        Raises:
            ApiError: `NotFound`.
        """
        query = {"from": from_version, "to": to_version}
        return cast("PromptDiff", self._wire.get(path_to("prompts", prompt_id, "diff"), query))

    def arms(self, prompt_id: str, *, label: str | None = None) -> PromptArmCounts:
        """Show what runs came to by version and label: how many, how well, what they cost.

        Args:
            prompt_id: The prompt's id.
            label: Only runs that were started by this label. Default: all.

        Returns:
            Counts and averages; a run counts when it ends, with the prompt that it began with.

        Raises:
            ApiError: `NotFound`.
        """
        return cast(
            "PromptArmCounts", self._wire.get(path_to("prompts", prompt_id, "arms"), {"label": label})
        )

    def render(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        key: str | None = None,
    ) -> RenderedPrompt:
        """Render a prompt.

        Args:
            prompt_id: The prompt's id.
            variables: Values by name; a variable without one has its default.
            version: A version or a label. Default: the newest version.
            key: Chooses among the versions of a label, the same for the same key. Default: the one of greatest weight.

        Returns:
            The text, and which version it is of.

        Raises:
            ApiError: `NotFound`, or `InvalidRequest` for a variable that is missing or of another type.
        """
        said = {"variables": dict(variables or {}), "version": version, "key": key}
        body = {name: value for name, value in said.items() if value is not None}
        return cast("RenderedPrompt", self._wire.post(path_to("prompts", prompt_id, "render"), body))

    def labels(self, prompt_id: str) -> PromptLabels:
        """List a prompt's labels, `latest` among them.

        Args:
            prompt_id: The prompt's id.

        Returns:
            Labels with their versions.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("PromptLabels", self._wire.get(path_to("prompts", prompt_id, "labels")))

    def set_label(
        self, prompt_id: str, label: str, version: str | None = None, *, arms: Sequence[PromptArm] = ()
    ) -> PromptLabel:
        """Point a label to a version, or to several that share the runs.

        Runs that start after it get their text from there; those that have begun keep theirs.

        Args:
            prompt_id: The prompt's id.
            label: The label, such as prod; `latest` cannot be set.
            version: The version, by its number.
            arms: Instead of `version`: versions with a weight each, which share the runs.

        Returns:
            The label.

        Raises:
            BadCall: Neither or both of `version` and `arms` are given.
            ApiError: `NotFound`, or `InvalidRequest`.
        """
        if (version is None) == (not arms):
            raise BadCall("set_label takes a version or arms.", "Give one of both.")
        body = {"version": version} if version is not None else {"arms": [dict(arm) for arm in arms]}
        return cast("PromptLabel", self._wire.put(path_to("prompts", prompt_id, "labels", label), body))

    def roll_back(self, prompt_id: str, label: str, *, rev: int | None = None) -> PromptLabel:
        """Point a label to where it pointed before.

        Args:
            prompt_id: The prompt's id.
            label: The label.
            rev: The revision that was read: a label that has changed since is left alone. Default: whichever it has.

        Returns:
            The label.

        Raises:
            ApiError: `NotFound`, or `Conflict` where it has pointed to nothing else or has changed.
        """
        body = {} if rev is None else {"rev": rev}
        return cast(
            "PromptLabel", self._wire.post(path_to("prompts", prompt_id, "labels", label, "rollback"), body)
        )

    def remove_label(self, prompt_id: str, label: str) -> None:
        """Take a label away.

        Args:
            prompt_id: The prompt's id.
            label: The label.

        Raises:
            ApiError: `NotFound`.
        """
        self._wire.delete(path_to("prompts", prompt_id, "labels", label))
