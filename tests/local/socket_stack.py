"""The WebSocket API of the small stack: one room that does what messages wish, one that says who may come in."""

from __future__ import annotations

from typing import Any

SOCKET = """
import boto3, json, uuid

def handle(event, context):
    about = event["requestContext"]
    item = {"pk": {"S": "kept"}, "sk": {"S": str(uuid.uuid4())}, "event": {"S": json.dumps(event)}}
    boto3.client("dynamodb").put_item(TableName="small-items", Item=item)
    if about["eventType"] == "CONNECT":
        wish = event["queryStringParameters"].get("wish")
        if wish == "crash":
            raise RuntimeError("as was wished")
        asked = event["headers"].get("sec-websocket-protocol")
        headers = {"Sec-WebSocket-Protocol": asked.split(",")[-1].strip()} if asked else {}
        return {"statusCode": 418 if wish == "refuse" else 200, "body": "not you", "headers": headers}
    if about["routeKey"] == "post":
        api = boto3.client("apigatewaymanagementapi", endpoint_url=f"http://{about['domainName']}/{about['stage']}")
        for text in json.loads(event["body"])["texts"]:
            api.post_to_connection(ConnectionId=about["connectionId"], Data=text.encode())
    if about["routeKey"] == "crash":
        raise RuntimeError("as was wished")
    return {"statusCode": 200, "body": json.dumps({"route": about["routeKey"], "saw": event.get("body")})}
"""

USHER = """
def handle(event, context):
    token = event["queryStringParameters"]["token"]
    if token == "crash":
        raise RuntimeError("the usher is ill")
    effect = "Allow" if token == "right" else "Deny"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "somebody", "policyDocument": policy, "context": {"tenant": "acme", "level": 3, "ok": True}}
"""

ROOMS = {"socket": SOCKET, "usher": USHER}


def socket_api() -> dict[str, Any]:
    """The resources of the API, beside those of the HTTP API."""
    found = {
        "Sockets": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": "sockets",
                "ProtocolType": "WEBSOCKET",
                "RouteSelectionExpression": "$request.body.action",
            },
        },
        "SocketsStage": _part("Stage", StageName="live", AutoDeploy=True, StageVariables={"colour": "green"}),
        "SocketsIntegration": _part(
            "Integration", IntegrationType="AWS_PROXY", IntegrationUri=_invoke("socket")
        ),
        "Usher": _part(
            "Authorizer",
            AuthorizerType="REQUEST",
            Name="usher",
            AuthorizerUri=_invoke("usher"),
            IdentitySource=["route.request.querystring.token"],
        ),
    }
    target = {"Fn::Join": ["/", ["integrations", {"Ref": "SocketsIntegration"}]]}
    for number, key in enumerate(["$connect", "$disconnect", "$default", "post", "crash"]):
        more: dict[str, Any] = {"RouteResponseSelectionExpression": "$default"} if key == "$default" else {}
        if key == "$connect":
            more = {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Usher"}}
        found[f"SocketsRoute{number}"] = _part("Route", RouteKey=key, Target=target, **more)
    return found


def _invoke(room: str) -> dict[str, Any]:
    prefix = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    return {"Fn::Join": ["", [prefix, {"Fn::GetAtt": [f"{room.title()}Function", "Arn"]}, "/invocations"]]}


def _part(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": {"ApiId": {"Ref": "Sockets"}, **properties}}
