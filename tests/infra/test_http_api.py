"""The routes of the template are the routes of the rooms, and nobody gets past the authorizer by leaving a header out."""

from __future__ import annotations

import json
import tomllib

from tests.infra.assembly_reading import ROOT, Assembly, Json, flat


def written_routes() -> dict[str, tuple[str, bool]]:
    """Read the files without the product's own loader: route to room, and whether it is open."""
    routes: dict[str, tuple[str, bool]] = {}
    for file in sorted((ROOT / "functions").glob("*/function.toml")):
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        opened = document.get("open_routes", [])
        for key in [*document.get("routes", []), *opened]:
            routes[key] = (file.parent.name, key in opened)
    return routes


def room_behind(assembly: Assembly, route: Json) -> str:
    integration_id = flat(route["Target"]).removeprefix("integrations/<").removesuffix(">")
    integration = assembly.resources("api", "AWS::ApiGatewayV2::Integration")[integration_id]["Properties"]
    assert integration["PayloadFormatVersion"] == "2.0"
    return flat(integration["IntegrationUri"]).split(":function:stepward-prod-")[1].replace("-", "_")


def test_routes_equal_those_of_the_rooms(prod: Assembly) -> None:
    routes = prod.properties("api", "AWS::ApiGatewayV2::Route")
    served = {
        route["RouteKey"]: (room_behind(prod, route), route["AuthorizationType"] == "NONE")
        for route in routes
    }
    assert served == written_routes()


def test_guarded_routes_name_the_one_authorizer(prod: Assembly) -> None:
    (authorizer,) = prod.resources("api", "AWS::ApiGatewayV2::Authorizer")
    for route in prod.properties("api", "AWS::ApiGatewayV2::Route"):
        if route["AuthorizationType"] != "NONE":
            assert (route["AuthorizationType"], route["AuthorizerId"]) == ("CUSTOM", {"Ref": authorizer})


def test_the_authorizer_is_asked_about_every_request(prod: Assembly) -> None:
    (authorizer,) = prod.properties("api", "AWS::ApiGatewayV2::Authorizer")
    assert "IdentitySource" not in authorizer
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    assert authorizer["AuthorizerPayloadFormatVersion"] == "2.0"
    assert authorizer["EnableSimpleResponses"] is True
    assert authorizer["AuthorizerType"] == "REQUEST"
    assert flat(authorizer["AuthorizerUri"]).endswith(":function:stepward-prod-authorizer/invocations")


def test_only_this_api_may_call_the_rooms(prod: Assembly) -> None:
    permissions = prod.properties("api", "AWS::Lambda::Permission")
    rooms = {room for room, _ in written_routes().values()} | {"authorizer"}
    called = [
        flat(body["FunctionName"]).split(":function:stepward-prod-")[1].replace("-", "_")
        for body in permissions
    ]
    assert sorted(called) == sorted(rooms)
    (api,) = prod.resources("api", "AWS::ApiGatewayV2::Api")
    assert all(f"<{api}>/" in flat(body["SourceArn"]) for body in permissions)


def test_browsers_may_call_only_from_the_stage_s_pages(prod: Assembly, dev: Assembly) -> None:
    (closed,) = prod.properties("api", "AWS::ApiGatewayV2::Api")
    (opened,) = dev.properties("api", "AWS::ApiGatewayV2::Api")
    assert "CorsConfiguration" not in closed
    assert opened["CorsConfiguration"]["AllowOrigins"] == ["http://localhost:5173"]


def test_requests_are_limited_and_logged_as_json(prod: Assembly) -> None:
    (stage,) = prod.properties("api", "AWS::ApiGatewayV2::Stage")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 500, "ThrottlingBurstLimit": 1000}
    assert json.loads(stage["AccessLogSettings"]["Format"])["route"] == "$context.routeKey"


def test_people_are_told_the_address(prod: Assembly) -> None:
    (output,) = prod.template("api")["Outputs"].values()
    assert flat(output["Value"]).endswith(".ApiEndpoint>")


def test_the_access_log_names_routes_and_no_paths(prod: Assembly) -> None:
    """A path may hold a secret: the address that answers a workflow's task does."""
    (stage,) = prod.properties("api", "AWS::ApiGatewayV2::Stage")
    logged = json.loads(flat(stage["AccessLogSettings"]["Format"]))
    assert logged["route"] == "$context.routeKey"
    assert not any("path" in value.lower() for value in logged.values())
