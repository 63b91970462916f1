"""Serve the agents' part of the API: definitions, states and labels."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, body_of, caller, http_app, query_of, routes

router = routes()


@router.post("/agents")
def register_agent() -> Response[str]:
    """Register a version of an agent.

    Returns:
        201 for a new version, 200 for one that was there with the same content.

    Raises:
        InvalidRequest: The definition has problems; `errors` has all of them.
        Conflict: The version is there with other content.
    """
    tenant = caller(router.current_event).tenant
    agent, is_new = container.agents.register(tenant, body_of(router.current_event))
    where = {"Location": f"/agents/{agent.id}?version={agent.version}"}
    return answer(201 if is_new else 200, agent.model_dump(mode="json"), where)


@router.get("/agents")
def list_agents() -> Response[str]:
    """List agents by id; `capability`, `module`, `category`, `tag` and `state` narrow it.

    Returns:
        200 with the page and its `next_cursor`.

    Raises:
        InvalidRequest: A query parameter is invalid.
    """
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    return answer(200, container.agents.list_agents(tenant, query))


@router.get("/agents/<agent_id>")
def show_agent(agent_id: str) -> Response[str]:
    """Show an agent with one version's definition; `version` is a number or a label.

    Args:
        agent_id: The agent's id, or its `uid`.

    Returns:
        200 with the agent.

    Raises:
        NotFound: There is no such agent or version.
    """
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    return answer(200, container.agents.lifecycle.show(tenant, agent_id, query.get("version")))


@router.post("/agents/<agent_id>/transitions")
def move_agent(agent_id: str) -> Response[str]:
    """Move an agent to another state, `to` in the body.

    Args:
        agent_id: The agent's id, or its `uid`.

    Returns:
        200 with the agent's state.

    Raises:
        Conflict: The transition does not exist; `fix` names those that do.
        InvalidRequest: A check of the transition fails.
        NotFound: There is no such agent.
    """
    tenant = caller(router.current_event).tenant
    return answer(200, container.agents.lifecycle.move(tenant, agent_id, body_of(router.current_event)))


@router.delete("/agents/<agent_id>")
def terminate_agent(agent_id: str) -> Response[str]:
    """Terminate an agent; doing it twice is doing it once.

    Args:
        agent_id: The agent's id, or its `uid`.

    Returns:
        200 with the agent's state.

    Raises:
        NotFound: There is no such agent.
    """
    return answer(200, container.agents.lifecycle.terminate(caller(router.current_event).tenant, agent_id))


@router.get("/agents/<agent_id>/labels")
def list_labels(agent_id: str) -> Response[str]:
    """List an agent's labels.

    Args:
        agent_id: The agent's id, or its `uid`.

    Returns:
        200 with the labels.

    Raises:
        NotFound: There is no such agent.
    """
    return answer(200, container.agents.labels.list(caller(router.current_event).tenant, agent_id))


@router.put("/agents/<agent_id>/labels/<label>")
def put_label(agent_id: str, label: str) -> Response[str]:
    """Point a label to a version, `version` in the body.

    Args:
        agent_id: The agent's id, or its `uid`.
        label: The label.

    Returns:
        200 with the label.

    Raises:
        NotFound: There is no such agent or version.
        Conflict: The agent has as many labels as it may have.
        InvalidRequest: The label is `latest`, or invalid.
    """
    tenant, body = caller(router.current_event).tenant, body_of(router.current_event)
    return answer(200, container.agents.labels.put(tenant, agent_id, label, body))


@router.delete("/agents/<agent_id>/labels/<label>")
def remove_label(agent_id: str, label: str) -> Response[str]:
    """Remove a label.

    Args:
        agent_id: The agent's id, or its `uid`.
        label: The label.

    Returns:
        200.

    Raises:
        NotFound: There is no such label.
    """
    return answer(200, container.agents.labels.remove(caller(router.current_event).tenant, agent_id, label))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("agents request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
