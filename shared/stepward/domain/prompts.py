"""A prompt is a versioned template with typed variables; versions never change, labels point to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from stepward.domain.ids import LABEL_PATTERN, PROMPT_ID_PATTERN, VERSION_PATTERN, Version

MOST_TEMPLATE_BYTES: Final = 50_000
MOST_PROMPT_BYTES: Final = 64_000
"""What a whole version may take as JSON; a label holds a copy of each version that it points to."""
MOST_VARIABLES: Final = 50
MOST_METADATA: Final = 20
MOST_ARMS: Final = 5
"""How many versions a label may share its starts among."""
MOST_WEIGHT: Final = 100
VARIABLE_PATTERN: Final = r"^[a-z][a-z0-9_]{0,62}$"
_REFERENCE: Final = re.compile(
    f"({PROMPT_ID_PATTERN.strip('^$')})@({VERSION_PATTERN.strip('^$')}|{LABEL_PATTERN.strip('^$')})"
)

PromptId = Annotated[str, StringConstraints(pattern=PROMPT_ID_PATTERN)]
VariableName = Annotated[str, StringConstraints(pattern=VARIABLE_PATTERN)]
MetadataText = Annotated[str, StringConstraints(max_length=500)]


class VariableType(StrEnum):
    """What a variable's value must be, by JSON's own names."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"

    def fits(self, value: Any) -> bool:
        """Tell whether a value is of the type; true and false are no numbers."""
        if isinstance(value, bool):
            return self is VariableType.BOOLEAN
        return isinstance(value, _CLASSES[self])


_CLASSES: Final[dict[VariableType, tuple[type, ...]]] = {
    VariableType.STRING: (str,),
    VariableType.INTEGER: (int,),
    VariableType.NUMBER: (int, float),
    VariableType.BOOLEAN: (bool,),
    VariableType.ARRAY: (list, tuple),
    VariableType.OBJECT: (dict,),
}


class Variable(BaseModel):
    """What a template expects under a name; one without a default must be given."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    type: VariableType = VariableType.STRING
    default: Any = None
    description: str = Field(default="", max_length=500)

    @property
    def is_required(self) -> bool:
        """Whether a render must bring the value: `null` is no default, for it is of no type."""
        return self.default is None


class PromptDefinition(BaseModel):
    """One version of a prompt, as its file says it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    id: PromptId
    version: Version
    description: str = Field(default="", max_length=2_000)
    template: str
    variables: dict[VariableName, Variable] = Field(default_factory=dict, max_length=MOST_VARIABLES)
    metadata: dict[VariableName, MetadataText] = Field(default_factory=dict, max_length=MOST_METADATA)

    @field_validator("template")
    @classmethod
    def _says_something(cls, given: str) -> str:
        if not given.strip():
            raise ValueError("the template is empty; write what the model is told")
        size = len(given.encode("utf-8", "surrogatepass"))
        if size > MOST_TEMPLATE_BYTES:
            raise ValueError(f"the template has {size:,} bytes; {MOST_TEMPLATE_BYTES:,} are the most")
        return given

    def ill_typed_defaults(self) -> Iterator[tuple[str, Variable]]:
        """Find variables whose default is not of their type."""
        for name, variable in self.variables.items():
            if not variable.is_required and not variable.type.fits(variable.default):
                yield name, variable


@dataclass(frozen=True)
class PromptReference:
    """A prompt of the registry that an agent names, as in `support-system@prod`."""

    prompt: str
    version: str
    """A version's number or a label."""

    @classmethod
    def read(cls, text: str) -> PromptReference | None:
        """Read an agent's `prompt`; None where it is a text of its own."""
        found = _REFERENCE.fullmatch(text)
        return cls(found[1], found[2]) if found else None

    def __str__(self) -> str:
        """Write it as agents do."""
        return f"{self.prompt}@{self.version}"


class ResolvedPrompt(BaseModel):
    """What a reference came to when a run began: the version, and the rendered text."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    id: str
    version: str
    label: str | None = None
    """The label that was asked for; None where the agent names the version itself."""
    text: str

    @property
    def named(self) -> dict[str, str]:
        """Name the version and the label, without the text, as events and views show it."""
        return self.model_dump(exclude={"text"}, exclude_none=True)


KeptPrompt = Annotated[ResolvedPrompt | None, Field(exclude_if=lambda prompt: prompt is None)]
"""What a journal keeps of a prompt; nothing where the agent has a text of its own, as in older journals."""


class PromptArm(BaseModel):
    """One of the versions that a label shares its starts among, and how much of them it gets."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    version: Version
    weight: int = Field(default=1, strict=True, ge=1, le=MOST_WEIGHT)
