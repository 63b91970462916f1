"""What to do about each error code; the tree of `stepward.domain.errors` says what each means."""

from __future__ import annotations

from typing import Final

BRANCHES: Final = {
    "CallerError": "The request is wrong. `field` names the part, `fix` says what to send instead; nothing has run.",
    "PolicyStop": "One of the run's own rules ended it: a limit, a budget, a person, a cancel.",
    "ModelFault": "The model asked for something that cannot be done. It is told so and may try again within the run.",
    "ProviderFault": "The model's provider is at fault. A fallback model answers where the agent has one.",
    "PlatformFault": "AWS or Stepward is at fault. What can be repeated is repeated without your help.",
    "TaskFault": "Only the state machine sees these; the task's own error is in the run.",
    "Bug": "A state that must not occur.",
}
REMEDIES: Final = {
    "CallerError": "Read `detail` and `fix`, change the request, send it again.",
    "InvalidRequest": "Change what `field` names as `fix` says; `errors` has the other problems of the same request.",
    "RehearsalMissing": 'Add a `rehearsal` to the agent that `detail` names, or start with `"rehearse": false` (`--no-rehearse`).',
    "NotAuthenticated": "Send `Authorization: Bearer KEY` with a key that has not expired. `stepward doctor` checks it; the "
    "operator makes one with `python -m stepward.runtime.issue_key`.",
    "NotAllowed": "Ask somebody who may do it: an approver who is listed, the operator for limits, a person other than the requester.",
    "NotFound": "Check the id and the tenant of your key; `stepward agents ls`, `stepward runs ls` and the like show what there is.",
    "Conflict": "Register a changed definition under a new `version`; for a run, look at its status first.",
    "PolicyStop": "See the specific code.",
    "SafetyBlocked": "Change the input or the tool that the check names, or the check's configuration.",
    "RateLimited": "Wait for `retry_after_s` seconds, then send the same request again.",
    "BudgetExceeded": "Raise the agent's `limits.cost_limit_usd` or the budget (`stepward budgets set`), or wait for the next day or month.",
    "ApprovalDenied": "Nothing to repair: a person said no. Their comment is in the result.",
    "RunCancelled": "Nothing to repair: start again if the cancel was a mistake (`stepward runs fork` keeps the turns so far).",
    "MaxIterationsReached": "Raise `limits.max_iterations`, or make prompt and tools lead to an answer in fewer turns.",
    "AttachmentChanged": "Put the file back as it was and fork the run, or start a new run with the file as it is.",
    "DeadlineExceeded": "Raise `limits.timeout_s`, or give slow tools less time; waits for people do not count.",
    "ModelFault": "See the specific code.",
    "ToolArgumentInvalid": "Describe the tool's arguments better, or choose a model that follows schemas more closely.",
    "ToolFailed": "Read the tool's message in the run's events; repair the tool or its `config`.",
    "ToolUnavailable": "Give the tool a `retry` or a longer `timeout_s`; check the host. With `has_begun` look whether the effect happened "
    "before you repeat it.",
    "TaskTimedOut": "Raise the task's `timeout_s`, give it a `retry`, or a `fallback`.",
    "CircuitOpen": "Wait half a minute after the host has recovered; the next call tries it.",
    "OutputMalformed": "Fork the run from the turn before, or use another model; for a rehearsal add the missing turn.",
    "RehearsalFailed": "Add a turn, or a `when` that fits, to the agent's `rehearsal`.",
    "OutputTruncated": "Raise `limits.max_output_tokens`, or ask for less.",
    "OutputEmpty": "Ask for an answer in the prompt; try another model or a `fallbacks` entry.",
    "OutputInvalid": "Make `output_schema` simpler or the prompt clearer; the faults are in `detail`.",
    "ProviderFault": "Look at the provider's status page and at `stepward doctor`.",
    "ProviderThrottled": "Add keys (`provider_keys add`), raise `requests_per_minute` of `[providers.NAME]` if your contract allows it, or "
    "name `fallbacks`.",
    "ProviderUnavailable": "Wait, or name `fallbacks`; see the runbook about a provider that is down.",
    "StreamCut": "Nothing at first: the call is made again. If it stays, raise `silence_s` of `[providers.NAME]`.",
    "AskNextModel": "Nothing: the next function asks the next model. It is not seen outside of a run's journal.",
    "ProviderRefused": "Read `detail`: the provider says what it does not take.",
    "KeyMissing": "Set the key: `python -m stepward.runtime.provider_keys set --provider NAME`, on a laptop `stepward providers set NAME`.",
    "KeyRefused": "Replace the key, or ask the provider for access to the model.",
    "ModelUnknown": "Choose a model that `stepward models` lists, and register a new version of the agent.",
    "ModelRefused": "Change the input or the prompt, or ask another model; the refused call is paid.",
    "ContentFiltered": "Change the input or the prompt, or ask another provider.",
    "ContextTooLong": "Set `context.max_tokens` and `context.summarise`, make tools answer less, or use a model with a larger window.",
    "PlatformFault": "Ask again; if it stays, look at the alarms and at `stepward logs` of the function.",
    "StoreThrottled": "Nothing at first: it is repeated with pauses. If it stays, look at the table's throttling in CloudWatch.",
    "StoreConflict": "Nothing: the write is repeated on what is there now. As an answer, send the request again.",
    "DependencyTimeout": "Ask again; the AWS service's health page says whether it is down.",
    "MachineMissing": "Nothing: the machine is made again. Start the workflow again after a minute.",
    "TaskFault": "See the task's error: `stepward workflows show-run RUN`.",
    "TaskRetry": "Nothing: the machine runs the task again by its `retry`.",
    "TaskFailed": "Repair what the task's error names, then `stepward workflows rerun RUN`.",
    "Bug": "Report it with the run's id and the lines of `stepward logs`.",
}
