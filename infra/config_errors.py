"""A wrong word in a configuration file should cost a second, not an hour: the message names the file and the likely word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import get_origin

from pydantic import BaseModel, ValidationError


class DefinitionError(Exception):
    """A file of this repository that cannot be built; the message has the place and the fix."""


def unknown_word(file: Path, kind: str, word: str, known: Iterable[str]) -> DefinitionError:
    """Name an unknown word and the nearest known one."""
    words = sorted(known)
    nearest = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(words)}"
    return DefinitionError(f"{file}: unknown {kind} {word!r}; {hint}")


def explain(file: Path, model: type[BaseModel], error: ValidationError) -> DefinitionError:
    """Translate pydantic's errors into one line about the file.

    An unknown word comes first: where a required one is missing too, the one was meant to be the other.
    """
    findings = error.errors(include_url=False)
    finding = next((found for found in findings if found["type"] == "extra_forbidden"), findings[0])
    field = ".".join(str(part) for part in finding["loc"])
    if finding["type"] == "extra_forbidden":
        return unknown_word(file, "word", field, _known_fields(model, finding["loc"]))
    return DefinitionError(f"{file}: {field}: {finding['msg']}" if field else f"{file}: {finding['msg']}")


def _known_fields(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """List the words allowed at a place, with the place's prefix.

    So nested tables get useful hints too.
    """
    prefix: list[str] = []
    names = iter(location[:-1])
    for part in names:
        field = model.model_fields.get(str(part))
        nested = _model_in(field.annotation) if field else None
        if field is None or nested is None:
            break
        model = nested
        prefix.append(str(part))
        if get_origin(field.annotation) is dict:
            prefix.append(str(next(names)))
    return [".".join([*prefix, name]) for name in model.model_fields]


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the pydantic model inside `Model | None`, as optional tables are declared."""
    candidates = (annotation, *getattr(annotation, "__args__", ()))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
