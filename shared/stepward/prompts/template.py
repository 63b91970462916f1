"""Templates in Jinja2's language, of which a safe part is taken: checked when registered, counted when rendered.

A template computes with its variables and nothing else: it reaches no attribute of any object, calls no function but
`range`, loads no other template, and whatever it loops over or makes is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from stepward.domain.agents import PROMPT_LIMIT_CHARS
from stepward.prompts.filters import FILTERS, TESTS
from stepward.prompts.grammar import check_grammar
from stepward.prompts.operators import WORK, binary, counted, joined, numbers, shown, weighed
from stepward.prompts.work import Work, refused

LOOP_MEMBERS: Final = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
_COUNTED, _JOINED, _WEIGHED = "_counted", "_joined", "_weighed"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox; a member is an object's key or a list's place, never an attribute."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self) -> None:
        """Make it with the filters and tests that count."""
        super().__init__(
            undefined=StrictUndefined,
            finalize=shown,
            optimized=False,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
        )
        self.filters = {**FILTERS, _COUNTED: counted, _JOINED: joined, _WEIGHED: weighed}
        self.tests = {name: test for name, test in self.tests.items() if name in TESTS}
        self.globals = {"range": numbers}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Give `obj.attribute`."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Give `obj[argument]`."""
        if isinstance(obj, LoopContext) and argument in LOOP_MEMBERS:
            return getattr(obj, argument)
        if isinstance(obj, dict) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, list | tuple | str) and type(argument) is int and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute `left operator right`."""
        return binary(context, operator, left, right, self.binop_table)


SANDBOX: Final = Sandbox()


class _Counting(NodeTransformer):
    """Puts a filter that counts around what a template loops over and makes."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  named by the visitor
        self.generic_visit(node)
        node.iter = _within(_COUNTED, node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _within(_JOINED, nodes.Tuple(node.nodes, "load", lineno=node.lineno))

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _within(_WEIGHED, node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return node if node.ctx == "store" else _within(_WEIGHED, node)

    visit_Dict = visit_List  # noqa: N815


def _within(name: str, node: nodes.Node) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


@dataclass(frozen=True)
class CompiledTemplate:
    """A template that can be rendered, and the variables that it reads."""

    template: Template
    variables: frozenset[str]

    def render(self, values: Mapping[str, Any], work: Work | None = None) -> str:
        """Render the template.

        Args:
            values: What its variables are.
            work: What counts the render; a test passes one of its own.

        Raises:
            InvalidRequest: It reads what is not there, computes with what does not fit, or takes too much.
        """
        parts: list[str] = []
        try:
            context = self.template.new_context({**values, WORK: work or Work()})
            parts.extend(_within_limit(self.template.root_render_func(context)))
        except UndefinedError as error:
            raise refused(f"the template reads what is not there: {error.message}.", _MISSING) from error
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            fix = "look at the template's expressions and at the values of its variables"
            raise refused(f"the template cannot be rendered: {str(error)[:300]}.", fix) from error
        return "".join(parts).strip()


_MISSING: Final = "give the value, or write `|default(…)` behind it"


def compile_template(text: str) -> CompiledTemplate:
    """Compile a template's text.

    Raises:
        InvalidRequest: It is no template, or uses what templates may not; the message has the line.
    """
    try:
        tree = SANDBOX.parse(text)
        check_grammar(tree)
        variables = frozenset(find_undeclared_variables(tree)) - set(SANDBOX.globals)
        counting = _Counting().visit(tree)
        counting.set_environment(SANDBOX)
        code = SANDBOX.compile(counting)
    except TemplateSyntaxError as error:
        raise refused(f"line {error.lineno}: {error.message}", _LANGUAGE) from error
    except (RecursionError, SyntaxError) as error:
        raise refused(
            "the template nests too deeply.", "use fewer blocks and brackets within each other"
        ) from error
    except ValueError as error:
        raise refused(f"the template cannot be read: {str(error)[:200]}.", _LANGUAGE) from error
    return CompiledTemplate(Template.from_code(SANDBOX, code, dict(SANDBOX.globals)), variables)


_LANGUAGE: Final = "write it in Jinja2's language, as in {{ name }} and {% if name %}…{% endif %}"


def _within_limit(parts: Iterator[str]) -> Iterator[str]:
    chars = 0
    for part in parts:
        chars += len(part)
        if chars > PROMPT_LIMIT_CHARS:
            raise refused(
                f"the rendered prompt has more than {PROMPT_LIMIT_CHARS:,} characters.",
                "render shorter values",
            )
        yield part
