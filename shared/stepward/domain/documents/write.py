"""Write values as YAML that the reader of documents reads as the same values."""

from __future__ import annotations

from typing import Any

from stepward.domain.documents.scalars import plain
from stepward.domain.numbers import NotANumber

WIDTH_CHARS = 100


def write_yaml(value: Any) -> str:
    """Write a value as YAML.

    The library quotes what YAML 1.1 would take for something else than a text; `1e3` and `0o17` are texts there and
    numbers here, so they are quoted too. Anchors, which the reader refuses, are never written.

    Args:
        value: What JSON can hold.

    Returns:
        The document, without a line break at its end.
    """
    import yaml  # noqa: PLC0415  only those who write documents pay for it

    class Dumper(yaml.SafeDumper):
        """Quotes by the reader's rules."""

        def ignore_aliases(self, data: Any) -> bool:
            """Write every value in full, wherever it occurs."""
            del data
            return True

    def text(dumper: Any, data: str) -> Any:
        style = None if _stays_a_text(data) else "'"
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Dumper.add_representer(str, text)
    written: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=WIDTH_CHARS)
    return written.rstrip()


def _stays_a_text(text: str) -> bool:
    try:
        return isinstance(plain(text), str)
    except NotANumber:
        return False
