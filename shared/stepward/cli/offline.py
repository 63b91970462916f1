"""Check agents, and check, plan and draw workflows, where no server is known.

The only module of the command line that imports the product's logic, and so needs what its functions need (the extra
`platform`): import it where it is used, so that no other command waits for it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final, Self, TypeAlias, cast

from stepward.agents.costs import by_list
from stepward.agents.definition_schema import agent_schema
from stepward.agents.standalone import Findings, check_alone
from stepward.cli.exit_codes import InputError, SetupError
from stepward.domain.documents import Kind
from stepward.domain.documents.problems import Problem, Refused
from stepward.domain.errors import NotFound
from stepward.domain.tools import Effect, PublishedTool, ToolFolder
from stepward.domain.workflows import WorkflowDefinition
from stepward.sdk import DocumentRefused, WorkflowPlan, WorkflowProblem
from stepward.sdk.catalog import Model
from stepward.sdk.documents import JSON, YAML, Document, encode_document
from stepward.sdk.workflow_shapes import Drawn
from stepward.testing.fake_llm import FakeProvider
from stepward.testing.fake_llm.command import CommandOptions, provider_of
from stepward.testing.fake_llm.scripts import Unreadable
from stepward.workflows.checks.context import CheckContext
from stepward.workflows.checks.validate import Validation, validate, with_positions
from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.documents import json_schema
from stepward.workflows.planner.costs import UnknownCosts
from stepward.workflows.planner.diff import Version
from stepward.workflows.services.plan_service import plan_answer
from stepward.workflows.services.references import CustomTools
from stepward.workflows.services.register import beyond_checks

for _name in ("jsonata", "re2"):
    import_module(_name)  # the first expression needs them: a missing one is reported now

Provider: TypeAlias = FakeProvider
_KINDS: Final[dict[str, Kind]] = {YAML: "yaml", JSON: "json"}
_REGISTERED: Final = "it is checked when the workflow is registered, or with --url"


class AnyFolder(ToolFolder):
    """Offer every function that is asked for: only a server knows what a folder really has."""

    def tool(self, function: str) -> PublishedTool:
        """Return a function that takes any arguments.

        Args:
            function: Its name.

        Returns:
            The function, as one that is safe to repeat.
        """
        return PublishedTool(
            function=function,
            description="Known to a server only.",
            parameters={"type": "object"},
            effect=Effect.IDEMPOTENT,
            timeout_s=60,
        )


class OfflineWorkflows:
    """Stand in for the client's `workflows`, for documents only."""

    def problems(self, document: Document) -> tuple[WorkflowProblem, ...]:
        """Return all problems of a document.

        Args:
            document: A file, a text, values or a `Flow`.

        Returns:
            The problems by position, without those that only a server can find: see `warnings`.
        """
        try:
            self._version(document)
        except DocumentRefused as error:
            return error.problems
        return ()

    def warnings(self, document: Document) -> tuple[WorkflowProblem, ...]:
        """Return a warning for each agent, workflow and tool that a server would look up.

        Args:
            document: As in `problems`.

        Returns:
            A warning for each task that names one.
        """
        context = _examined(document).context
        return tuple(_of_problem(one) for one in _references(context)) if context else ()

    def plan(self, document: Document) -> WorkflowPlan:
        """Plan a document; the costs of agents and other workflows are unknown.

        Args:
            document: As in `problems`.

        Returns:
            The plan, as the API gives it.

        Raises:
            DocumentRefused: Something is wrong with it.
        """
        return cast("WorkflowPlan", plan_answer(self._version(document), UnknownCosts(), None).values)

    def draw(self, document: Document, form: Drawn) -> str:
        """Draw a document.

        Args:
            document: As in `problems`.
            form: `mermaid`, `svg`, or `asl` for the state machine.

        Returns:
            The text.

        Raises:
            DocumentRefused: Something is wrong with it.
        """
        return plan_answer(self._version(document), UnknownCosts(), form).text

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of documents.

        Returns:
            The schema of this version of Stepward.
        """
        return json_schema()

    def planned(self, workflow_id: str, *, version: str | None = None) -> WorkflowPlan:
        """Refuse: only a server knows the registered versions."""
        raise _needs_server(workflow_id, version)

    def drawn(self, workflow_id: str, form: Drawn, *, version: str | None = None) -> str:
        """Refuse: only a server knows the registered versions."""
        del form
        raise _needs_server(workflow_id, version)

    def _version(self, document: Document) -> Version:
        read = _examined(document)
        if read.context is None or read.problems:
            raise _refused(read.problems)
        definition = read.context.definition
        compiled = compile_workflow(definition)
        if problems := with_positions(read.context.document, beyond_checks(definition, compiled)):
            raise _refused(problems)
        return Version(definition, compiled)


class OfflineAgents:
    """Check agents' files as far as that needs no registry."""

    def findings(self, body: Any) -> Findings:
        """Check a definition.

        Args:
            body: The fields of its file.

        Returns:
            Its problems, and the names that only a server could look up.
        """
        today = datetime.now(UTC).date()
        return check_alone(body, lambda folder: AnyFolder(room=folder, published_at=""), today)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of agents' files.

        Returns:
            The schema of this version of Stepward.
        """
        return agent_schema()


class OfflineModels:
    """Stand in for the client's `models`, by list prices alone."""

    def __init__(self) -> None:
        self._known = by_list(datetime.now(UTC))

    def list(self) -> list[Model]:
        """List the known models."""
        return cast("list[Model]", self._known.list("")["models"])

    def show(self, model: str) -> Model:
        """Return one model.

        Args:
            model: Its id, or an alias.

        Raises:
            InputError: It is not known.
        """
        try:
            return cast("Model", self._known.one("", model))
        except NotFound as error:
            raise InputError(error.detail, error.fix or "") from error


class Offline:
    """Replace the client where no server is known; `agents` also helps where one is."""

    def __init__(self) -> None:
        self.agents = OfflineAgents()
        self.models = OfflineModels()
        self.workflows = OfflineWorkflows()

    def provider(self, **options: Any) -> Provider:
        """Create a model provider for tests.

        Args:
            options: The fields of `CommandOptions`.

        Returns:
            The provider; it does not listen yet.

        Raises:
            InputError: A file or a fault cannot be used.
        """
        try:
            return provider_of(CommandOptions(**options))
        except Unreadable as error:
            raise InputError(str(error), "See `stepward fake-llm --help`.") from error

    def __enter__(self) -> Self:
        """Return itself, as the client does."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is no connection to close."""


def _examined(document: Document) -> Validation:
    given = encode_document(document)
    own = CustomTools(lambda folder: AnyFolder(room=folder, published_at=""), _nothing_kept)
    return validate(given.content, _KINDS.get(given.content_type, "auto"), own.filled)


def _nothing_kept(definition: WorkflowDefinition) -> None:
    del definition


def _references(context: CheckContext) -> list[Problem]:
    found = []
    for node in context.all():
        if node.kind and node.kind.starts and (child := node.child):
            found.append(_unchecked(context, node, node.kind.starts, child.of))
        elif node.custom_tool and node.settings is not None:
            found.append(_unchecked(context, node, "tool", node.custom_tool))
    return found


def _unchecked(context: CheckContext, node: Any, what: str, name: str) -> Problem:
    detail = f"whether there is {'an' if what == 'agent' else 'a'} {what} {name!r}, only a server knows"
    return context.problem(node, what, f"unchecked-{what}", detail, _REGISTERED)


def _of_problem(problem: Problem) -> WorkflowProblem:
    return WorkflowProblem.of(problem.model_dump())


def _refused(problems: list[Problem]) -> DocumentRefused:
    told = Refused(problems)
    body = {
        "title": told.code,
        "code": told.code,
        "detail": told.detail,
        "fix": told.fix,
        "errors": told.errors,
    }
    return DocumentRefused(400, body, tuple(_of_problem(one) for one in told.problems))


def _needs_server(workflow_id: str, version: str | None) -> SetupError:
    said = f"{workflow_id} {version}" if version else workflow_id
    return SetupError(
        f"{said} is no file, and which workflows are registered only a server knows.",
        "Give a file, or start one with `stepward up`, or set STEPWARD_URL and STEPWARD_API_KEY.",
    )
