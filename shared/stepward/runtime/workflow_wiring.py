"""The use cases about workflows, put together for the rooms that register, publish, carry, show and end them."""

from __future__ import annotations

from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any

from stepward.runtime import asking, money, wiring
from stepward.runtime.config import settings

if TYPE_CHECKING:
    from stepward.adapters.aws.workflow_machines import LambdaOrders, StepFunctionsAdmin
    from stepward.adapters.aws.workflow_registry import DynamoWorkflowRegistry
    from stepward.agents.estimate import Estimated
    from stepward.domain.agents import AgentDefinition
    from stepward.domain.programs import Program
    from stepward.domain.runs import RunKey
    from stepward.domain.task_records import WorkflowHead
    from stepward.ports.workflow_runs import WorkflowEnd
    from stepward.workflows.planner.diff import Version
    from stepward.workflows.runs.chunks import RunChunk
    from stepward.workflows.runs.end_run import EndRun
    from stepward.workflows.runs.execute_task import ExecuteTask
    from stepward.workflows.runs.finalize import FinalizeRun
    from stepward.workflows.runs.outside_answers import AnswerTask, ReceiveCall
    from stepward.workflows.runs.reconcile import ReconcileWorkflows
    from stepward.workflows.runs.run_inline import TaskServices
    from stepward.workflows.runs.run_store import WorkflowPorts
    from stepward.workflows.runs.start_run import RerunWorkflow, StartWorkflow
    from stepward.workflows.services.list_runs import ListRuns
    from stepward.workflows.services.plan_service import PlanService, RegisteredCosts
    from stepward.workflows.services.publish import PublishWorkflow, RemoveVersion
    from stepward.workflows.services.register import RegisterWorkflow
    from stepward.workflows.services.views import ShowWorkflows

# ruff: noqa: PLC0415  imports on first use: a room loads only what it calls


@cache
def registry() -> DynamoWorkflowRegistry:
    """Versions of workflows."""
    from stepward.adapters.aws.workflow_registry import DynamoWorkflowRegistry

    return DynamoWorkflowRegistry(settings().need("registry_table"), settings().need("data_bucket"))


@cache
def ports() -> WorkflowPorts:
    """What workflows' runs stand on."""
    from stepward.adapters.aws.task_store import DynamoTaskStore
    from stepward.adapters.aws.workflow_machines import StepFunctionsWorkflows
    from stepward.adapters.aws.workflow_runs import DynamoWorkflowRuns
    from stepward.agents.run_ports import SlotPorts
    from stepward.workflows.runs.run_store import WorkflowPorts

    store = DynamoTaskStore(wiring.journal())
    orders = _orders() if settings().workflow_publisher else None
    runs = DynamoWorkflowRuns(settings().need("runtime_table"), store, wiring.clock())
    return WorkflowPorts(
        store=store,
        runs=runs,
        slots=runs.slots,
        queue=SlotPorts(wiring.line(), wiring.nudges(), wiring.limits_config()),
        machines=StepFunctionsWorkflows(settings().need("workflow_machines"), orders),
        tokens=wiring.tokens(),
        program=program,
        clock=wiring.clock(),
        ids=wiring.ids(),
    )


@lru_cache(maxsize=64)
def program(tenant: str, workflow: str, version: str) -> Program:
    """One version's program; versions never change, so a process reads each once."""
    return registry().program(tenant, workflow, version)


@cache
def answer_case() -> AnswerTask:
    """The use case that answers tasks."""
    from stepward.workflows.runs.outside_answers import AnswerTask

    return AnswerTask(ports(), resumes=True)


@cache
def start_case() -> StartWorkflow:
    """The use case that starts runs."""
    from stepward.workflows.runs.start_checks import ChooseAnswers
    from stepward.workflows.runs.start_run import StartWorkflow

    who = ChooseAnswers(wiring.registry().look, wiring.stage_answers())
    return StartWorkflow(ports(), registry(), money.refuse_used_up, who=who)


@cache
def all_runs() -> ListRuns:
    """Runs of agents and of workflows together."""
    from stepward.workflows.services.list_runs import ListRuns

    return ListRuns(wiring.run_lists(), wiring.runtime_state(), ports().runs, wiring.clock())


def show_case() -> ShowWorkflows:
    """The use case that shows workflows and their runs."""
    from stepward.workflows.services.views import ShowWorkflows

    return ShowWorkflows(registry(), ports())


def register_case() -> RegisterWorkflow:
    """The use case that keeps versions."""
    from stepward.runtime.tool_wiring import published_tools_store
    from stepward.workflows.services.register import RegisterWorkflow

    return RegisterWorkflow(
        registry(),
        wiring.registry(),
        wiring.clock(),
        _orders().publish,
        settings().http_allow,
        published_tools_store().room,
        ports().machines.is_made,
    )


def foretell_case() -> PlanService:
    """The use case that plans workflows and compares versions."""
    from stepward.workflows.services.plan_service import PlanService

    return PlanService(registry(), register_case(), _costs)


def _costs(tenant: str) -> RegisteredCosts:
    from stepward.domain.runs import AnswerChoice
    from stepward.workflows.services.plan_service import RegisteredCosts, kept_version

    def read(workflow: str, version: str | None) -> Version:
        return kept_version(registry(), tenant, workflow, version)

    def estimate(tenant: str, agent: AgentDefinition, given: object) -> Estimated:
        answers = wiring.stage_answers().choose(agent, AnswerChoice())
        return money.estimate_case()(tenant, agent, given, answers)

    return RegisteredCosts(tenant, wiring.registry(), estimate, read)


def remove_case() -> RemoveVersion:
    """The use case that removes versions."""
    from stepward.workflows.services.publish import RemoveVersion

    return RemoveVersion(registry(), ports().runs, _orders().discard)


def callback_case() -> ReceiveCall:
    """The use case that takes calls from outside for tasks that wait for them."""
    from stepward.workflows.runs.outside_answers import AnswerTask, ReceiveCall

    return ReceiveCall(ports(), AnswerTask(ports()))


@cache
def _orders() -> LambdaOrders:
    from stepward.adapters.aws.workflow_machines import LambdaOrders

    return LambdaOrders(settings().need("workflow_publisher"))


def publish_case() -> PublishWorkflow:
    """The use case that makes machines."""
    from stepward.workflows.services.publish import PublishWorkflow

    arn, journal = settings().need("task_run_arn"), settings().need("journal_name")
    values = {"TaskRun": arn.rpartition(":")[2], "TaskRunArn": arn, "JournalTable": journal}
    return PublishWorkflow(registry(), shop(), values)


@cache
def shop() -> StepFunctionsAdmin:
    """Where machines are made."""
    from stepward.adapters.aws.workflow_machines import StepFunctionsAdmin

    return StepFunctionsAdmin(
        settings().need("workflow_machines"),
        settings().need("workflow_role_arn"),
        settings().need("workflow_log_group_arn"),
    )


def carry_case(key: RunKey) -> ExecuteTask:
    """The use case that carries one run's tasks."""
    from stepward.workflows.runs.execute_task import ExecuteTask

    return ExecuteTask(ports(), _world(key))


@cache
def chunk_case() -> RunChunk:
    """The use case that runs large foreach in executions of their own."""
    from stepward.workflows.runs.chunks import RunChunk

    return RunChunk(ports())


def settle_case(key: RunKey) -> FinalizeRun:
    """The use case that ends one run by its records."""
    from stepward.workflows.runs.finalize import FinalizeRun

    return FinalizeRun(ports(), _world(key), tell)


def end_case() -> EndRun:
    """The use case that ends runs from outside."""
    from stepward.agents.run_control import CancelRun
    from stepward.workflows.runs.end_run import EndRun

    return EndRun(ports(), tell, CancelRun(wiring.run_ports()))


def sweep_case() -> ReconcileWorkflows:
    """The janitor's round."""
    from stepward.workflows.runs.called_runs import Waiting
    from stepward.workflows.runs.reconcile import ReconcileWorkflows

    return ReconcileWorkflows(ports(), end_case(), Waiting(wiring.run_ports()))


def rerun_case() -> RerunWorkflow:
    """The use case that runs again from what failed."""
    from stepward.workflows.runs.start_run import RerunWorkflow

    return RerunWorkflow(ports(), start_case(), registry())


def tell(head: WorkflowHead, end: WorkflowEnd, output: Any) -> None:
    """Tell of a run's end: the task or call that waits for it, and whoever listens on the bus."""
    from stepward.workflows.runs.notify import NotifyEnd

    NotifyEnd(wiring.run_ports(), money.events())(head, end, output)


def _world(key: RunKey) -> TaskServices:
    from stepward.runtime.tool_wiring import remote_context
    from stepward.workflows.runs.ask_person import AskForTask
    from stepward.workflows.runs.child_runs import ChildRuns
    from stepward.workflows.runs.outside_answers import callback_address
    from stepward.workflows.runs.run_inline import TaskServices

    reach = ChildRuns(
        ports=ports(),
        key=key,
        start=wiring.start_run_case(),
        workflows=start_case(),
        ask=AskForTask(wiring.approvals(), asking.tend_approvals_case(), wiring.clock()),
        address=callback_address,
    )
    return TaskServices(tools=remote_context, put_event=partial(_put_event, key), reach=reach)


def _put_event(key: RunKey, name: str, event_id: str, detail: dict[str, Any]) -> None:
    """Put a workflow's event; whose it is comes from the run, and nothing in its detail overrides that."""
    from stepward.adapters.aws.events import EventBridgeEvents
    from stepward.domain.triggers import WORKFLOW_EVENTS

    said = {**detail, "id": event_id, "tenant": key.tenant, "run": key.run}
    EventBridgeEvents(settings().need("event_bus")).put(WORKFLOW_EVENTS, name, said)
