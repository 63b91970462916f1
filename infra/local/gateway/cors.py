"""CORS as an HTTP API does it: preflights are answered without a function, and its headers are the API's own."""

from __future__ import annotations

from typing import Any

from infra.local.gateway.messages import Request, Response

_PREFIX = "access-control-"


class Cors:
    """The `CorsConfiguration` of an API; without one, requests pass untouched."""

    def __init__(self, configuration: dict[str, Any] | None) -> None:
        """Take the properties as the template has them."""
        self._configuration = configuration

    def preflight(self, request: Request) -> Response | None:
        """Answer a preflight, or None if the request is none."""
        is_preflight = request.method == "OPTIONS" and request.header("origin") is not None
        if self._configuration is None or not is_preflight:
            return None
        headers = self._origin_headers(request)
        if headers:
            headers += self._listed("allow-methods", "AllowMethods") + self._listed(
                "allow-headers", "AllowHeaders"
            )
            if "MaxAge" in self._configuration:
                headers.append((_PREFIX + "max-age", str(self._configuration["MaxAge"])))
        return Response(204, headers)

    def dress(self, request: Request, response: Response) -> Response:
        """Put the API's headers in the place of the function's."""
        if self._configuration is None:
            return response
        kept = [(name, value) for name, value in response.headers if not name.startswith(_PREFIX)]
        added = self._origin_headers(request)
        if added:
            added += self._listed("expose-headers", "ExposeHeaders")
        return Response(response.status, kept + added, response.body)

    def _origin_headers(self, request: Request) -> list[tuple[str, str]]:
        configuration, origin = self._configuration or {}, request.header("origin")
        allowed = configuration.get("AllowOrigins", [])
        if origin is None or not ("*" in allowed or origin in allowed):
            return []
        headers = [(_PREFIX + "allow-origin", "*" if "*" in allowed else origin)]
        if configuration.get("AllowCredentials"):
            headers.append((_PREFIX + "allow-credentials", "true"))
        return headers

    def _listed(self, header: str, setting: str) -> list[tuple[str, str]]:
        values = (self._configuration or {}).get(setting)
        return [(_PREFIX + header, ",".join(values))] if values else []
