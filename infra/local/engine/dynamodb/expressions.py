"""Update expressions of DynamoDB, parsed once and walked without abstract classes."""

from __future__ import annotations

import functools
from typing import Any

from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser

ORIGINAL_EXPRESSION_WALKS = DepthFirstTraverser.traverse_node_recursively


ORIGINAL_EXPRESSION_PARSES = UpdateExpressionParser.make


_PARSED_TEXTS = 1_000


_answers: dict[tuple[type, tuple[type, ...]], bool] = {}


def install_expression_parses() -> None:
    """Keep the tree of each text of an update expression.

    moto parses an expression three times for each UpdateItem, and the product sends the same few dozen texts.

    Where: `UpdateExpressionParser.make` in moto/dynamodb/parsing/expressions.py. The tree may be shared, since the
    validators work on a deep copy of it.
    """
    UpdateExpressionParser.make = staticmethod(functools.lru_cache(_PARSED_TEXTS)(ORIGINAL_EXPRESSION_PARSES))


def install_expression_walks() -> None:
    """Look up by a node's class whether a walk processes it.

    moto walks each update expression ten times and asks `isinstance` of abstract classes at each node: a quarter of
    what an UpdateItem takes.

    Where: `DepthFirstTraverser.traverse_node_recursively` in moto/dynamodb/parsing/ast_nodes.py.
    """
    DepthFirstTraverser.traverse_node_recursively = _walk


def _walk(traverser: Any, node: Any, child_id: int = -1) -> Any:
    return _process(traverser, traverser.nodes_to_be_processed(), node, child_id)


def _process(traverser: Any, kinds: tuple[type, ...], node: Any, child_id: int) -> Any:
    """Process a node after its children, and put what comes of it in its parent's place."""
    if not _is_subclass(type(node), (Node,)):
        return node
    parent = node.parent
    for index, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, index)
        _process(traverser, kinds, child, index)
    if _is_subclass(type(node), kinds):
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def _is_subclass(kind: type, classes: tuple[type, ...]) -> bool:
    answer = _answers.get((kind, classes))
    if answer is None:
        answer = _answers[kind, classes] = issubclass(kind, classes)
    return answer
