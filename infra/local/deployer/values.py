"""Evaluation of CloudFormation's intrinsic functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from infra.local import account
from infra.local.deployer.faults import DeployError, UnsupportedFunction

NO_VALUE = object()
"""The value of `AWS::NoValue`, with which a property is removed."""

_SUBSTITUTION = re.compile(r"\$\{(!?)([^}]+)\}")


class Lookup(Protocol):
    """What values refer to; a reference to a resource creates it first."""

    stack_name: str

    def ref(self, name: str) -> Any:
        """Return the value of `Ref` for a resource or a parameter."""

    def attribute(self, name: str, attribute: str) -> Any:
        """Return the value of `Fn::GetAtt`."""

    def imported(self, export: str) -> Any:
        """Return the value of another stack's export."""

    def stack_output(self, stack: str, output: str) -> Any:
        """Return an output of another stack."""

    def condition(self, name: str) -> bool:
        """Return the value of a condition."""


class Values:
    """Evaluates values of a template."""

    def __init__(self, lookup: Lookup) -> None:
        """Map each known function to its evaluation; other functions are refused."""
        self._lookup = lookup
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": lambda a: a[0].join(str(part) for part in self.evaluate(a[1])),
            "Fn::Select": lambda a: self.evaluate(a[1])[int(self.evaluate(a[0]))],
            "Fn::Split": lambda a: str(self.evaluate(a[1])).split(a[0]),
            "Fn::Sub": self._sub,
            "Fn::If": lambda a: self.evaluate(a[1] if lookup.condition(a[0]) else a[2]),
            "Fn::ImportValue": lambda a: lookup.imported(self.evaluate(a)),
            "Fn::GetStackOutput": self._get_stack_output,
            "Fn::Equals": lambda a: self.evaluate(a[0]) == self.evaluate(a[1]),
            "Fn::Not": lambda a: not self.evaluate(a[0]),
            "Fn::And": lambda a: all(self.evaluate(item) for item in a),
            "Fn::Or": lambda a: any(self.evaluate(item) for item in a),
            "Fn::GetAZs": lambda _: [f"{account.REGION}a", f"{account.REGION}b"],
        }

    def evaluate(self, value: Any) -> Any:
        """Return a value with all intrinsic functions in it evaluated."""
        if isinstance(value, list):
            return [item for item in map(self.evaluate, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Condition" and isinstance(argument, str):
                return self._lookup.condition(argument)
            if name in self._functions:
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise UnsupportedFunction(name)
        evaluated = {key: self.evaluate(item) for key, item in value.items()}
        return {key: item for key, item in evaluated.items() if item is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        return self._pseudo(name) if name.startswith("AWS::") else self._lookup.ref(name)

    def _pseudo(self, name: str) -> Any:
        stack = self._lookup.stack_name
        values = {
            "AWS::Region": account.REGION,
            "AWS::AccountId": account.ACCOUNT_ID,
            "AWS::Partition": account.PARTITION,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack,
            "AWS::StackId": f"arn:aws:cloudformation:{account.REGION}:{account.ACCOUNT_ID}:stack/{stack}/laptop",
            "AWS::NoValue": NO_VALUE,
        }
        try:
            return values[name]
        except KeyError:
            raise DeployError(f"the pseudo parameter {name} is not known; add it in {__name__}") from None

    def _get_att(self, argument: Any) -> Any:
        name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        return self._lookup.attribute(name, attribute)

    def _get_stack_output(self, argument: Any) -> Any:
        arguments = self.evaluate(argument)
        return self._lookup.stack_output(arguments["StackName"], arguments["OutputName"])

    def _sub(self, argument: Any) -> str:
        text, variables = (
            (argument, {}) if isinstance(argument, str) else (argument[0], self.evaluate(argument[1]))
        )

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(variables[name])
            return str(self._get_att(name) if "." in name else self._ref(name))

        return _SUBSTITUTION.sub(replace, text)
