"""Labels of prompts: names for a version, or for several by weights, that are moved and rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.requests import parse
from stepward.domain.errors import Conflict, InvalidRequest, NotFound, StoreConflict
from stepward.domain.ids import LABEL_PATTERN, PROMPT_ID_PATTERN, Version, check_id
from stepward.domain.prompt_records import LATEST, MOST_EARLIER, Pointing, PromptLabel, RegisteredPrompt
from stepward.domain.prompts import MOST_ARMS, PromptArm
from stepward.domain.run_origins import Caller
from stepward.ports.clock import Clock, iso
from stepward.ports.prompts import LabelledPrompt, PromptRegistry
from stepward.prompts.lookup import find_prompt, label_view

MOST_LABELS: Final = 20
Versions = tuple[RegisteredPrompt, ...]


class PromptLabelTarget(BaseModel):
    """The body of `PUT …/labels/{label}`: `version`, or `arms` with a weight each."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    version: Version | None = None
    arms: tuple[PromptArm, ...] = Field(default=(), max_length=MOST_ARMS)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.version is None) == (not self.arms):
            raise ValueError(
                'write either "version": "1.0.0" or "arms": [{"version": "1.0.0", "weight": 9}, …]'
            )
        versions = [arm.version for arm in self.arms]
        twice = next((one for at, one in enumerate(versions) if one in versions[:at]), None)
        if twice is not None:
            raise ValueError(f"{twice} is given twice in `arms`; give it the sum of both weights")
        return self

    @property
    def pointed(self) -> tuple[PromptArm, ...]:
        """The versions with their weights."""
        return self.arms or (PromptArm(version=str(self.version)),)


class Rollback(BaseModel):
    """The body of `POST …/rollback`; `rev` makes a repeated call harmless."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    rev: int | None = Field(default=None, strict=True, ge=1)


@dataclass(frozen=True)
class PromptLabels:
    """The use cases behind `/prompts/{prompt_id}/labels`."""

    registry: PromptRegistry
    clock: Clock

    def list(self, tenant: str, prompt: str) -> dict[str, Any]:
        """List a prompt's labels, `latest` among them."""
        find_prompt(self.registry, tenant, prompt, None)
        labels = self.registry.prompt_labels(tenant, prompt)
        return {"id": prompt, "labels": [label_view(prompt, one) for one in labels]}

    def put(self, by: Caller, prompt: str, label: str, body: Any) -> dict[str, Any]:
        """Point a label to versions; runs that have begun keep the text that they began with."""
        _check_label(label)
        arms = parse(PromptLabelTarget, body).pointed
        versions = tuple(
            find_prompt(self.registry, by.tenant, prompt, arm.version).versions[0] for arm in arms
        )
        return self._point(by, prompt, label, versions, arms)

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
    def _point(
        self, by: Caller, prompt: str, label: str, versions: Versions, arms: tuple[PromptArm, ...]
    ) -> dict[str, Any]:
        there = self._read(by.tenant, prompt, label)
        if there is None:
            self._check_label_count(by.tenant, prompt)
        elif there.arms == arms:
            return label_view(prompt, there)
        earlier = (_pointing(there), *there.earlier)[:MOST_EARLIER] if there else ()
        return self._write(by, prompt, self._new(by, label, arms, earlier, there), versions)

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
    def roll_back(self, by: Caller, prompt: str, label: str, body: Any) -> dict[str, Any]:
        """Point a label to where it pointed before.

        time →   A reads rev 4 (2.0.0, before 1.0.0)   A writes rev 5: 1.0.0 ✓
                 B reads rev 4                                                  B writes rev 5 ✗ → reads again: nothing before
        """
        _check_label(label)
        check_id("prompt_id", prompt, PROMPT_ID_PATTERN)
        rev = parse(Rollback, body).rev
        there = self._read(by.tenant, prompt, label)
        if there is None:
            raise self._unknown(by.tenant, prompt, label)
        if rev not in {None, there.rev}:
            raise Conflict(
                f"label {label!r} of {prompt!r} is at revision {there.rev}, not {rev}.",
                field="rev",
                fix=f"GET /prompts/{prompt}/labels shows where it points now",
            )
        if not there.earlier:
            raise Conflict(
                f"label {label!r} of {prompt!r} has pointed to nothing else.",
                field="label",
                fix=f"PUT /prompts/{prompt}/labels/{label} points it to another version",
            )
        before, *earlier = there.earlier
        read = [find_prompt(self.registry, by.tenant, prompt, arm.version) for arm in before.arms]
        versions = tuple(one.versions[0] for one in read)
        return self._write(by, prompt, self._new(by, label, before.arms, tuple(earlier), there), versions)

    def remove(self, tenant: str, prompt: str, label: str) -> dict[str, Any]:
        """Take a label away; starts of agents that name it are refused from then on."""
        _check_label(label)
        check_id("prompt_id", prompt, PROMPT_ID_PATTERN)
        if not self.registry.remove_prompt_label(tenant, prompt, label):
            raise self._unknown(tenant, prompt, label)
        return {"id": prompt, "label": label}

    def _read(self, tenant: str, prompt: str, label: str) -> PromptLabel | None:
        found = self.registry.find_prompt(tenant, prompt, label)
        return found.label if found else None

    def _new(
        self,
        by: Caller,
        label: str,
        arms: tuple[PromptArm, ...],
        earlier: tuple[Pointing, ...],
        over: PromptLabel | None,
    ) -> PromptLabel:
        return PromptLabel(
            label=label,
            arms=arms,
            set_at=iso(self.clock.now()),
            set_by=by.principal,
            earlier=earlier,
            rev=(over.rev if over else 0) + 1,
        )

    def _write(self, by: Caller, prompt: str, label: PromptLabel, versions: Versions) -> dict[str, Any]:
        self.registry.set_prompt_label(by.tenant, prompt, LabelledPrompt(label, versions))
        return label_view(prompt, label)

    def _check_label_count(self, tenant: str, prompt: str) -> None:
        names = {known.label for known in self.registry.prompt_labels(tenant, prompt)} - {LATEST}
        if len(names) >= MOST_LABELS:
            raise Conflict(
                f"prompt {prompt!r} has {len(names)} labels.",
                field="label",
                fix="remove one that is not used",
            )

    def _unknown(self, tenant: str, prompt: str, label: str) -> NotFound:
        find_prompt(self.registry, tenant, prompt, None)
        return NotFound(
            f"prompt {prompt!r} has no label {label!r}.",
            field="label",
            fix=f"GET /prompts/{prompt}/labels lists those that exist",
        )


def _pointing(label: PromptLabel) -> Pointing:
    return Pointing(arms=label.arms, set_at=label.set_at, set_by=label.set_by)


def _check_label(label: str) -> None:
    check_id("label", label, LABEL_PATTERN)
    if label == LATEST:
        raise InvalidRequest(
            "`latest` is always the newest version and cannot be set.",
            field="label",
            fix="use a label of your own, such as prod",
        )
