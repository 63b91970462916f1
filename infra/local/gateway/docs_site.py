"""Serves the documentation that `make docs` has built at `/docs`, so that it can be read and searched in a browser."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from infra.local.gateway.messages import Request, Response

BUILT_DOCS: Final = Path(__file__).resolve().parents[3] / ".build" / "docs"
_HTML: Final = "text/html; charset=utf-8"
_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Stepward: documentation is not built</title>
<style>:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem}
</style></head>
<body><h1>The documentation is not built yet</h1>
<p>Run <code>make docs</code> in the checkout, then reload this page. It takes some seconds.</p>
<p>The same pages can be read as files in <code>shared/docs/</code>.</p></body></html>
"""
_NOT_FOUND: Final = (
    '<!doctype html><title>Not found</title><p>There is no such page. <a href="/docs/">Documentation</a></p>'
)


class DocsSite:
    """Serve the pages of a built site, which are read at each request."""

    def __init__(self, folder: Path = BUILT_DOCS) -> None:
        """Take the site's folder; it may be built, rebuilt or removed at any time.

        Args:
            folder: Where `make docs` puts the site.
        """
        self._folder = folder

    def answer(self, request: Request) -> Response | None:
        """Answer a GET or HEAD of `/docs` or what is below it.

        Args:
            request: The request, with its path still encoded.

        Returns:
            The page, a redirect, or 404 with a page that says what to do; None for any other path or method.
        """
        path = unquote(urlsplit(request.target).path)
        if request.method not in ("GET", "HEAD") or not f"{path}/".startswith("/docs/"):
            return None
        if path == "/docs":
            return Response(308, [("location", "/docs/")])
        if not (self._folder / "index.html").is_file():
            return Response(404, [("content-type", _HTML)], _NOT_BUILT.encode())
        file = self._file(path.removeprefix("/docs/"))
        return self._not_found() if file is None else _page(file)

    def _file(self, path: str) -> Path | None:
        """Find a file of the site; one that lies outside, by `..` or a link, is none."""
        if "\0" in path:
            return None
        file = (self._folder / (path or "index.html")).resolve()
        return file if file.is_relative_to(self._folder.resolve()) and file.is_file() else None

    def _not_found(self) -> Response:
        file = self._file("404.html")
        return Response(404, [("content-type", _HTML)], file.read_bytes() if file else _NOT_FOUND.encode())


def _page(file: Path) -> Response:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    content_type = _HTML if kind == "text/html" else kind
    return Response(200, [("content-type", content_type), ("cache-control", "no-cache")], file.read_bytes())
