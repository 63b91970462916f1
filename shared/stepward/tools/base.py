"""What a tool of the gallery is: a schema that models see, a declared effect, and one method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from stepward.domain.tools import Effect, Placement
from stepward.ports.datasets import Datasets


def _within_datasets(path: str) -> str:
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or not path.isprintable():
        raise ValueError("it must be a path within the tenant's data, such as datasets/orders.csv")
    return path


DataPath = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_within_datasets)]
"""A file's path within its tenant's data sets; it cannot climb out of them."""


class Settings(BaseModel):
    """A tool's configuration within one agent; unknown fields are refused at registration."""

    model_config = ConfigDict(extra="forbid")


class Arguments(BaseModel):
    """What the model fills in; unknown fields are refused with an error that it can act on."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class ToolContext:
    """What a tool may reach of the world: its tenant's data and the stage's allowed hosts, nothing else."""

    tenant: str
    call_id: str
    datasets: Datasets
    http_allow: tuple[str, ...] = ()


S = TypeVar("S", bound=Settings)
A = TypeVar("A", bound=Arguments)


class Tool(ABC, Generic[S, A]):
    """A tool. Subclasses set the class attributes and implement `run`; they hold no state between calls."""

    name: ClassVar[str]
    description: ClassVar[str]
    effect: ClassVar[Effect]
    placement: ClassVar[Placement]
    timeout_s: ClassVar[float] = 10
    settings: type[S]
    arguments: type[A]

    def check_settings(self, settings: S, http_allow: Sequence[str]) -> None:
        """Refuse a configuration that could never work in this stage; the default has nothing to refuse."""

    @abstractmethod
    def run(self, arguments: A, settings: S, context: ToolContext) -> Any:
        """Do the work and return what JSON can hold; raise `ToolFailed` when it cannot be done."""

    def schema(self) -> dict[str, Any]:
        """The arguments' JSON Schema as models are shown it."""
        return {
            k: v for k, v in self.arguments.model_json_schema().items() if k not in {"title", "description"}
        }


def origin(url: str) -> str:
    """Scheme, host and port of a URL: what allow-lists name."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
