"""A Lambda is a folder with a `function.toml`; reading and checking those files is all that `infra` knows of the code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.config_errors import DefinitionError, explain, unknown_word
from infra.triggers import RuleSpec, ScheduleText, StreamSpec, known_references, unknown_reference

Route = Annotated[str, Field(pattern=r"^(\$default|(GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9/_.{}+-]*)$")]

LONGEST_NAME_WITH_RULES = 28


class QueueSpec(BaseModel):
    """How a function reads its queue; a message that fails too often is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_size: Annotated[int, Field(ge=1, le=10)] = 10
    max_receive_count: Annotated[int, Field(ge=1, le=1000)] = 5
    max_concurrency: Annotated[int, Field(ge=2, le=1000)] | None = None


class FunctionConfig(BaseModel):
    """What one `function.toml` says, in the words of its file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,37}$")]
    purpose: Annotated[str, Field(min_length=10, max_length=256)]
    memory_mb: Annotated[int, Field(ge=128, le=10_240)]
    timeout_s: Annotated[int, Field(ge=1, le=900)]
    routes: tuple[Route, ...] = ()
    open_routes: tuple[Route, ...] = ()
    authorizer: bool = False
    tools: bool = False
    queue: QueueSpec | None = None
    stream: StreamSpec | None = None
    rules: tuple[RuleSpec, ...] = ()
    schedule: ScheduleText | None = None
    on_schedules: bool = False
    packages: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    aws_services: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")], ...] | None = None
    max_zip_mb: Annotated[int, Field(ge=1, le=250)] | None = None
    reserved_concurrency: Annotated[int, Field(ge=1)] | None = None
    grants: tuple[str, ...] = ()
    environment: dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], str] = {}

    @model_validator(mode="after")
    def _serves_what_it_can(self) -> FunctionConfig:
        served = self.all_routes
        if self.authorizer and served:
            raise ValueError("the authorizer answers for every route and can serve none of its own")
        if served and self.timeout_s > 30:
            raise ValueError(
                "timeout_s: the HTTP API gives up after 30 seconds, so a function with routes may not run longer"
            )
        return self

    @model_validator(mode="after")
    def _serves_tools_alone(self) -> FunctionConfig:
        if self.tools and (
            self.authorizer or self.all_routes or self.queue or self.stream or self.is_asynchronous
        ):
            raise ValueError("tools: a folder of tools answers the platform's calls and nothing else")
        return self

    @model_validator(mode="after")
    def _name_fits_its_rules(self) -> FunctionConfig:
        if self.keeps_failures and len(self.name) > LONGEST_NAME_WITH_RULES:
            raise ValueError(
                f"name: rules are called after their function, which leaves it {LONGEST_NAME_WITH_RULES} characters"
            )
        return self

    @property
    def is_asynchronous(self) -> bool:
        """Return whether events start the function with no caller waiting.

        Its failures have to be kept then.
        """
        return bool(self.rules or self.schedule or self.on_schedules)

    @property
    def keeps_failures(self) -> bool:
        """Return whether the function needs a queue of failures.

        Its own queue has a dead-letter queue besides.
        """
        return self.is_asynchronous or self.stream is not None

    @property
    def all_routes(self) -> tuple[str, ...]:
        """Join the guarded and the open routes; a route in both lists is open."""
        return tuple(dict.fromkeys([*self.routes, *self.open_routes]))

    @property
    def pascal_name(self) -> str:
        """Return the function's name as state machines and logical ids have it."""
        return "".join(part.capitalize() for part in self.name.split("_"))


@dataclass(frozen=True)
class ServedRoute:
    """One route of the HTTP API: who answers, and whether callers have to say who they are."""

    key: str
    function: str
    is_open: bool


def load_function(folder: Path, grants: Collection[str], machines: Collection[str] = ()) -> FunctionConfig:
    """Read one function's file and refuse words that nothing would act on."""
    file = folder / "function.toml"
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        function = FunctionConfig.model_validate({"name": folder.name, **document})
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{file}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise explain(file, FunctionConfig, error) from error
    for word in function.grants:
        if word not in grants:
            raise unknown_word(file, "grant", word, grants)
    if reference := unknown_reference(function.rules, machines):
        raise unknown_word(file, "reference", reference, known_references(machines))
    return function


def load_functions(
    folder: Path, grants: Collection[str], machines: Collection[str] = ()
) -> list[FunctionConfig]:
    """Read every function, sorted by name.

    So templates do not depend on the file system.
    """
    folders = sorted(file.parent for file in folder.glob("*/function.toml"))
    functions = [load_function(one, grants, machines) for one in folders]
    _check_together(folder, functions)
    return functions


def served_routes(functions: Sequence[FunctionConfig]) -> list[ServedRoute]:
    """List the HTTP API's routes by key, each with the function that answers."""
    routes = [
        ServedRoute(key, function.name, key in function.open_routes)
        for function in functions
        for key in function.all_routes
    ]
    return sorted(routes, key=lambda route: route.key)


def authorizer_of(functions: Sequence[FunctionConfig]) -> FunctionConfig | None:
    """Find the one function that tells who is calling."""
    return next((function for function in functions if function.authorizer), None)


def _check_together(folder: Path, functions: Sequence[FunctionConfig]) -> None:
    """Check what each file alone cannot show: shared routes, and guarded ones without a guard."""
    owner: dict[str, str] = {}
    for route in served_routes(functions):
        shape = re.sub(r"\{[^}]*\}", "{}", route.key)
        if shape in owner:
            raise DefinitionError(
                f"{folder}: route {route.key!r} is served by {owner[shape]} and by {route.function}"
            )
        owner[shape] = route.function
    guards = [function.name for function in functions if function.authorizer]
    if len(guards) > 1:
        raise DefinitionError(
            f"{folder}: only one function may be the authorizer, these are: {', '.join(guards)}"
        )
    guarded = [route.key for route in served_routes(functions) if not route.is_open]
    if guarded and not guards:
        raise DefinitionError(
            f"{folder}: {guarded[0]!r} needs an authorizer; one function must say `authorizer = true`"
        )
