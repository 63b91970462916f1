"""State machines that were made at run time, as those of workflows' versions: the template knows nothing of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import datetime
from typing import Any

from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from infra.local import account
from infra.local.state.folder import Unit
from infra.local.state.scans import Seen, dump


class Machines:
    """The source of every state machine that no template has made."""

    kind = "machine"

    def __init__(self) -> None:
        """Begin without a template."""
        self._of_template: frozenset[str] = frozenset()

    def deployed(self) -> None:
        """Take the machines that are there now as the template's, which come back with it."""
        self._of_template = frozenset(machine.arn for machine in _backend().state_machines)

    def scan(self) -> Iterator[Seen]:
        """Look at every machine."""
        for machine in list(_backend().state_machines):
            if machine.arn not in self._of_template:
                mark = machine.definition, machine.roleArn
                yield Seen(Unit(self.kind, "", machine.name), mark, _Writer(machine))

    def restore(self, unit: Unit, content: Any) -> Hashable | None:
        """Make a machine again, unless a template has made one of its name since."""
        backend = _backend()
        if any(machine.name == unit.key for machine in backend.state_machines):
            return True
        # It was read when it was first made; reading it again takes long for a large one.
        machine = StepFunctionBackend.create_state_machine(backend, name=unit.key, **content["settings"])
        machine.creation_date = datetime.fromisoformat(content["created"])
        return machine.definition, machine.roleArn


class _Writer:
    """Write a machine down when it is asked for."""

    def __init__(self, machine: Any) -> None:
        self._machine = machine

    def __call__(self) -> bytes:
        machine = self._machine
        settings = {
            "definition": machine.definition,
            "roleArn": machine.roleArn,
            "tags": _backend().tagger.list_tags_for_resource(machine.arn)["tags"],
            "loggingConfiguration": machine.loggingConfiguration,
            "tracingConfiguration": machine.tracingConfiguration,
            "encryptionConfiguration": machine.encryptionConfiguration,
            "sm_type": machine.sm_type,
        }
        return dump({"v": 1, "settings": settings, "created": machine.creation_date.isoformat()})


def _backend() -> Any:
    return stepfunctions_parser_backends[account.ACCOUNT_ID][account.REGION]
