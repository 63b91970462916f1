"""List every planted fault, by the promise that it faults."""

from __future__ import annotations

from typing import Final

from stepward.domain.bounds import Bound
from stepward.testing.planted import faults
from stepward.testing.planted.faults import PlantedFault

_AGENTS: Final = "stepward.agents"
_MEMORY: Final = "stepward.adapters.memory"
JOURNAL: Final = (
    PlantedFault(
        "no claim",
        "A function that advances a run claims it first.",
        f"{_AGENTS}.advance:_Advancing._claim",
        faults.without_claim,
    ),
    PlantedFault(
        "taken places",
        "A record gets the next free number of a gap-free log, or is not written.",
        f"{_MEMORY}.journal:MemoryJournal.append",
        faults.at_any_number,
    ),
    PlantedFault(
        "undeterred",
        "A function that finds a newer claim, a cancel or an end stops.",
        f"{_AGENTS}.journal_writer:RunWriter._only_out_of_band",
        faults.ignoring_newer_records,
    ),
    PlantedFault(
        "unbooked loss",
        "A function that loses a run books what the call has cost.",
        f"{_AGENTS}.journal_writer:RunWriter.book_late",
        faults.always(None),
    ),
    PlantedFault(
        "no end",
        "A run's end is a record of its journal.",
        f"{_AGENTS}.journal_writer:RunWriter.end",
        faults.without_end_record,
    ),
    PlantedFault(
        "two ends",
        "A run ends once.",
        f"{_AGENTS}.journal_writer:RunWriter.end",
        faults.ending_again,
    ),
)
EFFECTS: Final = (
    PlantedFault(
        "second effect",
        "A tool that may act once is marked before, and never runs again.",
        f"{_AGENTS}.call_tool:CallTool._held_back",
        faults.always(None),
    ),
    PlantedFault(
        "known outcome",
        "After a crash in the midst of an effect its outcome is unknown.",
        (f"{_AGENTS}.call_tool:CallTool._held_back", f"{_AGENTS}.tool_calls:TurnCalls.no_result"),
        faults.unknown_as_failed,
    ),
    PlantedFault(
        "late result",
        "The first result of a call stays; one that comes late changes nothing.",
        f"{_MEMORY}.journal:MemoryJournal.put_result",
        faults.overwriting_the_first,
    ),
    PlantedFault(
        "effect after a cancel",
        "No call that may act once begins after a cancel was answered.",
        f"{_AGENTS}.call_tool:CallTool._has_gone_on",
        faults.always(False),
    ),
)
MONEY: Final = (
    PlantedFault(
        "uncovered call",
        "A call is made only if the run's allowance covers it.",
        f"{_AGENTS}.run_slots:RunSlot.covered",
        lambda _: lambda standing, state, intent, limit: intent,
    ),
    PlantedFault(
        "overdrawn budget",
        "Parallel runs never draw more than a budget has.",
        f"{_MEMORY}.costs:MemoryBudgets.can_draw",
        faults.always(True),
    ),
    PlantedFault(
        "kept allowance",
        "A run gives back what it has drawn and not spent.",
        "stepward.domain.ledger:Ledger.returns",
        faults.always(()),
    ),
    PlantedFault(
        "allowance given back twice",
        "Money is given back once.",
        f"{_MEMORY}.runtime_state:MemoryRuntimeState._give_money_back",
        faults.returned_twice,
    ),
    PlantedFault(
        "forgotten call",
        "The reservation of a call of which no reply came is booked as spent.",
        "stepward.domain.ledger:Ledger.lose_open_call",
        faults.always(None),
    ),
    PlantedFault(
        "beyond its limit",
        "A run stops before the call that could pass its cost limit.",
        f"{_AGENTS}.call_limits:CallLimits.cost_limit_usd_micros",
        faults.always(10**9),
    ),
    PlantedFault(
        "no book",
        "The cost book agrees with the runs.",
        f"{_AGENTS}.finalize:cost_lines",
        faults.always([]),
    ),
)
MODELS: Final = (
    PlantedFault(
        "asked again",
        "A reply that is in the journal is never asked for again.",
        f"{_AGENTS}.journal_writer:fold",
        faults.without_the_last_reply,
        "asks again for",
    ),
    PlantedFault(
        "free beginning",
        "What came of a reply that broke off is paid.",
        f"{_AGENTS}.model_turn:ModelTurn._book_what_came",
        faults.always(None),
        "were paid",
    ),
    PlantedFault(
        "free summary",
        "A summary of what is left out is paid like any reply.",
        "stepward.domain.ledger:Ledger.book_summary",
        faults.without_its_cost,
        "were paid",
    ),
    PlantedFault(
        "price of another",
        "A reply costs what the model takes that gave it.",
        f"{_AGENTS}.call_limits:CallLimits.cost_usd_micros",
        faults.at_the_first_models_price,
        "but only",
    ),
)
SLOTS: Final = (
    PlantedFault(
        "no limit",
        "No more runs are active than a tenant and the account may have.",
        f"{_MEMORY}.run_queue:MemoryRunQueue.full",
        faults.always([]),
    ),
    PlantedFault(
        "slot in a wait",
        "A run that waits holds no slot.",
        f"{_AGENTS}.journal_writer:RunWriter._park_now",
        faults.keeping_the_slot,
    ),
    PlantedFault(
        "kept slot",
        "A slot is given back at the end.",
        f"{_MEMORY}.run_queue:MemoryRunQueue.give_back",
        faults.without_release,
    ),
    PlantedFault(
        "last come first served",
        "The run queue is served by priority, then age.",
        f"{_MEMORY}.run_queue:MemoryRunQueue.first",
        faults.last_first,
    ),
    PlantedFault(
        "free slot without a wake-up",
        "A freed slot wakes the run queue that waits for one.",
        f"{_AGENTS}.run_ports:RunPorts.wake_waiting",
        faults.always(None),
    ),
    PlantedFault(
        "admitted run that is not woken",
        "An admitted run is started, or continued by its token.",
        f"{_AGENTS}.dispatch:DispatchRuns._wake",
        faults.always(None),
    ),
)
WAITS: Final = (
    PlantedFault(
        "silent child",
        "A run's end reaches the run that waits for it.",
        f"{_AGENTS}.finalize:Finalize._tell_others",
        faults.always(None),
    ),
    PlantedFault(
        "answer without a word",
        "An answer wakes the machine that waits for it.",
        f"{_AGENTS}.finalize:answer_call",
        faults.without_wake_up,
    ),
    PlantedFault(
        "wait for what is over",
        "A wait that opens after its answer is over at once.",
        f"{_AGENTS}.waits:OpenWait._is_over",
        faults.always(False),
    ),
    PlantedFault(
        "old token",
        "The newest token of a wait counts.",
        f"{_MEMORY}.run_queue:MemoryTokens.keep",
        faults.keeping_the_oldest_token,
    ),
    PlantedFault(
        "payment without a yes",
        "A guarded call is made only after a person's yes.",
        (f"{_AGENTS}.tool_calls:TurnCalls._must_be_asked_about", f"{_AGENTS}.call_tool:CallTool._unapproved"),
        faults.always(None),
    ),
    PlantedFault(
        "second decision",
        "The first decision counts.",
        f"{_MEMORY}.approvals:MemoryApprovals.change",
        faults.unconditionally,
    ),
    PlantedFault(
        "question left open at the end",
        "No question stays open for a run that has ended.",
        f"{_AGENTS}.finalize:close_those_of",
        faults.always(None),
    ),
    PlantedFault(
        "question left open after a wait",
        "No question stays open for a call that is not waited for.",
        f"{_AGENTS}.run_slots:close_those_of",
        faults.always(None),
    ),
)
LIVES: Final = (
    PlantedFault(
        "two runs for a key",
        "One Idempotency-Key starts one run.",
        f"{_MEMORY}.runtime_state:MemoryRuntimeState._started_before",
        faults.always(None),
    ),
    PlantedFault(
        "children left alone",
        "A cancel ends the runs that the cancelled one waits for.",
        f"{_AGENTS}.run_control:CancelRun._cancel_children",
        faults.always(None),
    ),
    PlantedFault(
        "orphan",
        "A child that its parent does not wait for ends.",
        f"{_AGENTS}.run_slots:RunSlot.is_orphaned",
        faults.always(False),
    ),
    PlantedFault(
        "old epoch",
        "The newest execution carries a run, no older one.",
        f"{_AGENTS}.continue_as_new:ContinueAsNew.is_late",
        faults.never,
    ),
    PlantedFault(
        "epoch that is not started",
        "A new epoch is started, even if its function dies.",
        f"{_AGENTS}.continue_as_new:ContinueAsNew.start",
        faults.always(None),
    ),
    PlantedFault(
        "no sweep",
        "The janitor repairs what functions left undone.",
        f"{_AGENTS}.reconcile:ReconcileRuns._reconcile",
        faults.always("left"),
    ),
)
BILLS: Final = (
    PlantedFault(
        "answer billed twice",
        "A bill counts an answer from outside once.",
        "stepward.workflows.runs.aws_cost:Bill._answer",
        faults.done_twice,
    ),
    PlantedFault(
        "write that is not billed",
        "A bill counts each write of a record.",
        "stepward.workflows.runs.aws_cost:Bill._times_kept",
        faults.always(1),
    ),
    PlantedFault(
        "answer that is not planned",
        "A plan counts answers from outside.",
        "stepward.workflows.planner.costs:CostBounds._answered",
        faults.always(Bound()),
    ),
)
"""Faults of plans and bills of workflows, whose tests draw workflows and not schedules."""
PLANTED: Final = (*JOURNAL, *EFFECTS, *MONEY, *MODELS, *SLOTS, *WAITS, *LIVES)
