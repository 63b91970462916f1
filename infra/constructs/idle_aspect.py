"""Fails a synthesis in which something would cost money while idle, and says where in the tree of constructs it is."""

from __future__ import annotations

import jsii
from aws_cdk import CfnResource, IAspect, Stack
from constructs import IConstruct, IValidation

from infra.config import StageConfig
from infra.idle_costs import IdleCostJudge, depends_on_properties


@jsii.implements(IValidation)
class _Objection:
    """Carries an objection to a resource to the end of the synthesis."""

    def __init__(self, text: str) -> None:
        self._text = text

    def validate(self) -> list[str]:
        """Object."""
        return [self._text]


@jsii.implements(IAspect)
class NothingCostsWhileIdle:
    """Visits every resource of an app and objects to those not known to be free at rest."""

    def __init__(self, config: StageConfig) -> None:
        self._judge = IdleCostJudge(config)

    def visit(self, node: IConstruct) -> None:
        """Judge one construct, if it is a resource."""
        if not CfnResource.is_cfn_resource(node):
            return
        assert isinstance(node, CfnResource)
        stack = Stack.of(node)
        kind = node.cfn_resource_type
        # The only way to the properties of whichever resource it is; protected, but of the public library.
        properties = (
            stack.resolve(node._render_properties(node._cfn_properties))  # noqa: SLF001
            if depends_on_properties(kind)
            else {}
        )
        text = self._judge.objection(node.node.path, kind, stack.resolve(node.logical_id), properties)
        if text is not None:
            node.node.add_validation(_Objection(text))
