"""Serve the prompts' part of the API: register, show, compare and render versions, and label them."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, body_of, caller, http_app, query_of, routes

router = routes()


@router.post("/prompts")
def register_prompt() -> Response[str]:
    """Register a version of a prompt.

    Returns:
        201 for a new version, 200 for one that was there with the same content.

    Raises:
        InvalidRequest: The definition has problems; `errors` has all of them.
        Conflict: The version is there with other content.
    """
    event = router.current_event
    kept, is_new = container.prompts.register(caller(event), body_of(event))
    shown = container.prompts.version_view(kept)
    where = {"Location": f"/prompts/{shown['id']}?version={shown['version']}"}
    return answer(201 if is_new else 200, shown, where)


@router.get("/prompts")
def list_prompts() -> Response[str]:
    """List prompts by id, each in its newest version.

    Returns:
        200 with the page and its `next_cursor`.

    Raises:
        InvalidRequest: A query parameter is invalid.
    """
    event = router.current_event
    return answer(200, container.prompts.show.list(caller(event).tenant, query_of(event)))


@router.get("/prompts/<prompt_id>")
def show_prompt(prompt_id: str) -> Response[str]:
    """Show one version of a prompt; `version` is a number or a label, the newest by default.

    Args:
        prompt_id: The prompt's id.

    Returns:
        200 with the version; of a label with several, the one with the greatest weight.

    Raises:
        NotFound: There is no such prompt, version or label.
    """
    event = router.current_event
    version = query_of(event).get("version")
    return answer(200, container.prompts.show.show(caller(event).tenant, prompt_id, version))


@router.get("/prompts/<prompt_id>/versions")
def list_versions(prompt_id: str) -> Response[str]:
    """List a prompt's versions, the newest first.

    Args:
        prompt_id: The prompt's id.

    Returns:
        200 with the page and its `next_cursor`.

    Raises:
        NotFound: There is no such prompt.
    """
    event = router.current_event
    return answer(200, container.prompts.show.versions(caller(event).tenant, prompt_id, query_of(event)))


@router.get("/prompts/<prompt_id>/diff")
def diff_versions(prompt_id: str) -> Response[str]:
    """Compare two versions, `from` and `to`: numbers or labels; `to` is the newest by default.

    Args:
        prompt_id: The prompt's id.

    Returns:
        200 with what differs: the template's lines, variables by name, and the fields that are others.

    Raises:
        NotFound: There is no such prompt or version.
        InvalidRequest: `from` is missing.
    """
    event = router.current_event
    return answer(200, container.prompts.show.diff(caller(event).tenant, prompt_id, query_of(event)))


@router.get("/prompts/<prompt_id>/arms")
def show_arms(prompt_id: str) -> Any:
    """Show what runs came to by version and label; `label` narrows it to one.

    Args:
        prompt_id: The prompt's id.

    Returns:
        200 with runs, successes, costs and active time for each label and version.

    Raises:
        NotFound: There is no such prompt.
    """
    event = router.current_event
    return answer(200, container.prompts.show.arms(caller(event).tenant, prompt_id, query_of(event)))


@router.post("/prompts/<prompt_id>/render")
def render_prompt(prompt_id: str) -> Response[str]:
    """Render a version of a prompt with `variables`.

    `version` is a number or a label, the newest by default.

    Args:
        prompt_id: The prompt's id.

    Returns:
        200 with the text, and whether it was in the function's cache.

    Raises:
        NotFound: There is no such prompt or version.
        InvalidRequest: A variable is missing or of another type, or the template cannot be rendered.
    """
    event = router.current_event
    return answer(200, container.prompts.render(caller(event).tenant, prompt_id, body_of(event)))


@router.get("/prompts/<prompt_id>/labels")
def list_labels(prompt_id: str) -> Response[str]:
    """List a prompt's labels.

    Args:
        prompt_id: The prompt's id.

    Returns:
        200 with the labels.

    Raises:
        NotFound: There is no such prompt.
    """
    return answer(200, container.prompts.labels.list(caller(router.current_event).tenant, prompt_id))


@router.put("/prompts/<prompt_id>/labels/<label>")
def put_label(prompt_id: str, label: str) -> Response[str]:
    """Point a label to a version, or to several with a weight each.

    The body has `version`, or `arms`, as in `[{"version": "1.0.0", "weight": 90}, …]`.

    Args:
        prompt_id: The prompt's id.
        label: The label.

    Returns:
        200 with the label.

    Raises:
        NotFound: There is no such prompt or version.
        Conflict: The prompt has as many labels as it may have.
        InvalidRequest: The label is `latest`, or invalid.
    """
    event = router.current_event
    return answer(200, container.prompts.labels.put(caller(event), prompt_id, label, body_of(event)))


@router.post("/prompts/<prompt_id>/labels/<label>/rollback")
def roll_back_label(prompt_id: str, label: str) -> Response[str]:
    """Point a label to where it pointed before.

    With `rev` in the body, only if the label is at that revision, so that a repeat is harmless.

    Args:
        prompt_id: The prompt's id.
        label: The label.

    Returns:
        200 with the label.

    Raises:
        NotFound: There is no such prompt or label.
        Conflict: It has pointed to nothing else, or has changed since the revision.
    """
    event = router.current_event
    body = body_of(event) if event.body else {}
    return answer(200, container.prompts.labels.roll_back(caller(event), prompt_id, label, body))


@router.delete("/prompts/<prompt_id>/labels/<label>")
def remove_label(prompt_id: str, label: str) -> Response[str]:
    """Remove a label.

    Args:
        prompt_id: The prompt's id.
        label: The label.

    Returns:
        200.

    Raises:
        NotFound: There is no such label.
    """
    return answer(200, container.prompts.labels.remove(caller(router.current_event).tenant, prompt_id, label))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("prompts request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
