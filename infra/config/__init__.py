"""What differs between a laptop, a shared development account and production is data, checked before anything is built."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from infra.config.providers import ProviderConfig, check_providers, entries_json, with_kinds
from infra.config_errors import DefinitionError, explain, unknown_word

FOLDER = Path(__file__).parent

RetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653]
LogLevel = Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def _none_of_ours(name: str) -> str:
    if name.startswith("stepward-"):
        raise ValueError(f"{name!r} is one of the platform's own functions, which are no tools")
    return name


def _no_source_of_ours(source: str) -> str:
    if source.startswith(("stepward", "aws.")):
        raise ValueError(f"{source!r} is the platform's or AWS's own source, which belongs to no tenant")
    return source


def _together(providers: dict[str, ProviderConfig]) -> dict[str, ProviderConfig]:
    check_providers(providers)
    return providers


ForeignFunction = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$"), AfterValidator(_none_of_ours)]


class StageConfig(BaseModel):
    """Every choice that a stage makes, so that no construct has to ask which stage it is in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,15}$")]
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    region: str | None = None
    removal_policy: Literal["retain", "destroy"]
    termination_protection: bool
    point_in_time_recovery: bool
    log_retention_days: RetentionDays
    log_level: LogLevel
    machine_log_level: Literal["ALL", "ERROR", "FATAL"]
    cors_origins: tuple[str, ...]
    http_allow: tuple[str, ...]
    # Which tenant the events of a source belong to: whoever may put events as a source starts that tenant's agents.
    event_sources: dict[
        Annotated[
            str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$"), AfterValidator(_no_source_of_ours)
        ],
        Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")],
    ] = {}
    # Names of Lambda functions of the account that agents may call, if they carry the tag `stepward:tool` as well.
    lambda_tools: tuple[ForeignFunction, ...] = ()
    # Which providers of models there are beside the built-in ones, and what is changed about those.
    providers: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")], ProviderConfig],
        BeforeValidator(with_kinds),
        AfterValidator(_together),
    ] = {}
    # Whether the rehearsals of agents answer in place of their models, where a start does not say.
    rehearsals: bool = True
    # Whether rehearsed runs draw on budgets and count among the costs, where a start does not say.
    charge_rehearsals: bool = False
    reserved_concurrency: bool
    throttle_rate_per_s: Annotated[int, Field(ge=1)]
    throttle_burst: Annotated[int, Field(ge=1)]
    # Types or logical ids of what may cost money while idle; nothing else may.
    idle_cost_allowed: tuple[Annotated[str, Field(min_length=1)], ...] = ()

    def written(self, name: str) -> str:
        """Format a field as text: lists with commas, tables as `name=value`."""
        if name == "providers":
            return entries_json(self.providers)
        found = getattr(self, name)
        if isinstance(found, dict):
            found = tuple(f"{key}={value}" for key, value in found.items())
        return ",".join(found) if isinstance(found, tuple) else str(found)


def stages(folder: Path = FOLDER) -> list[str]:
    """Name the stages that exist; a stage is a file, so adding one needs no code."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_config(stage: str, folder: Path = FOLDER, settings: Sequence[str] = ()) -> StageConfig:
    """Read one stage's file; an unknown field is refused.

    A misspelt switch would be a switch that is off.

    `settings` are `field=value` pairs that replace what the file says, with values written as in TOML; of a provider
    they replace what they name, as in `providers.anthropic.url="http://127.0.0.1:9000"`.
    """
    if stage not in stages(folder):
        raise unknown_word(folder, "stage", stage, stages(folder))
    file = folder / f"{stage}.toml"
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        replaced = tomllib.loads("\n".join(settings))
        return StageConfig.model_validate(
            {"stage": stage, **document, **replaced, **_providers(document, replaced)}
        )
    except tomllib.TOMLDecodeError as error:
        where = f"{file} with --set {' --set '.join(settings)}" if settings else str(file)
        raise DefinitionError(f"{where}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise explain(file, StageConfig, error) from error


def _providers(document: dict[str, Any], replaced: dict[str, Any]) -> dict[str, Any]:
    """Change single fields of providers; wrong values are left for the check to report."""
    before, after = document.get("providers", {}), replaced.get("providers", {})
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return {}
    changed = {
        name: {**before.get(name, {}), **entry} if isinstance(entry, dict) else entry
        for name, entry in after.items()
    }
    return {"providers": {**before, **changed}}
