"""Templates render what they say, reach nothing else, and end, whatever they are."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.agents import PROMPT_LIMIT_CHARS
from stepward.domain.errors import InvalidRequest
from stepward.prompts.template import compile_template
from stepward.prompts.work import MOST_RENDER_S, MOST_VALUE_CHARS, MOST_WORK, Work


def render(template: str, **values: Any) -> str:
    return compile_template(template).render(values)


def refusal(template: str, **values: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        render(template, **values)
    assert refused.value.field == "template"
    assert refused.value.fix
    return refused.value


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {{ name }}.", "Hello Ann."),
        ("{% if tier > 2 %}gold{% else %}plain{% endif %}", "gold"),
        ("{% for one in tags %}\n- {{ loop.index }} {{ one }}\n{% endfor %}", "- 1 a\n- 2 b"),
        ("{% for name, at in places|items %}{{ name }}={{ at }};{% endfor %}", "x=1;y=[2];"),
        ("{{ places.x + 1 }} {{ places['y'][0] }} {{ tags[-1] }} {{ tags[:1] }}", '2 2 b ["a"]'),
        ("{{ places.z|default('none') }} {{ 'set' if places.z is defined else 'unset' }}", "none unset"),
        ("{{ name ~ '-' ~ tier }} {{ name|upper }} {{ tags|join(', ') }}", "Ann-3 ANN a, b"),
        ("{{ yes }} {{ nothing }} {{ 1.50 }} {{ places }}", 'true null 1.5 {"x": 1, "y": [2]}'),
        ("{% set a, b = [1, 2] %}{{ a }}{{ b }} {{ range(3)|sum }} {{ 7 // 2 }} {{ 7 % 2 }}", "12 3 3 1"),
        ("{% with who = name %}{{ who }}{% endwith %}{# unseen #}{% raw %} {{ x }}{% endraw %}", "Ann {{ x }}"),
        ("{{ tags|sort(reverse=true)|first }} {{ [2, 1, 2]|unique|tojson }} {{ 'a b'|title|replace('B', 'c') }}", "b [2, 1] A c"),
        ("{{ 'abcdef'|truncate(4) }} {{ 2.567|round(1) }} {{ '12'|int + 1 }} {{ 9 is divisibleby 3 }}", "abc… 2.6 13 true"),
    ],
)  # fmt: skip
def test_what_templates_say(template: str, text: str) -> None:
    values = {
        "name": "Ann",
        "tier": 3,
        "tags": ["a", "b"],
        "places": {"x": 1, "y": [2]},
        "yes": True,
        "nothing": None,
    }
    assert render(template, **values) == text


def test_a_template_names_the_variables_that_it_reads() -> None:
    read = compile_template("{{ a }}{% for b in c %}{{ b }}{{ range(2) }}{% endfor %}{% set d = e %}{{ d }}")
    assert read.variables == {"a", "c", "e"}


@pytest.mark.parametrize(
    "template",
    [
        "{{ x.__class__ }}", "{{ x['__class__'] }}", "{{ x[key] }}", "{{ x|attr('__class__') }}", "{{ ''.__class__.__mro__ }}",
        "{{ x.upper() }}", "{{ x.format }}", "{{ ''.join(x) }}", "{{ cycler.__init__ }}", "{{ lipsum(5) }}", "{{ namespace() }}",
        "{{ self }}", "{{ self.x }}", "{{ self['_TemplateReference__context'] }}", "{{ range.__call__ }}", "{{ range }}",
        "{{ loop }}", "{% for a in [1] %}{{ loop }}{% endfor %}", "{% for a in [1] %}{{ loop._iterable }}{% endfor %}",
        "{% for a in [1] %}{{ loop['_iterable'] }}{% endfor %}", "{% for a in [1] %}{{ loop.cycle(1, 2) }}{% endfor %}",
        "{{ _work }}", "{% set _work = 1 %}", "{% for _work in [1] %}{% endfor %}", "{{ dict }}", "{{ joiner }}", "{{ caller() }}",
        "{% include 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% extends 'x' %}", "{% block a %}{% endblock %}",
        "{% macro a() %}{% endmacro %}", "{% call a() %}{% endcall %}", "{% filter upper %}x{% endfilter %}",
        "{% set x %}a{% endset %}", "{% autoescape true %}x{% endautoescape %}", "{{ x|map('upper') }}", "{{ x is callable }}",
        "{{ range(**x) }}", "{{ x|join(*x) }}", "{% for a in x recursive %}{{ loop(a) }}{% endfor %}", "{{ x|pprint }}",
    ],
)  # fmt: skip
def test_a_template_reaches_nothing_but_its_variables(template: str) -> None:
    refusal(template, x={"upper": 1}, key="__class__")


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(1000000000) %}{% endfor %}",
        "{% for a in range(0, 10, 0) %}{% endfor %}",
        "{% for a in range(900) %}{% for b in range(900) %}{% endfor %}{% endfor %}",
        "{% for a in x %}" * 4 + "{% endfor %}" * 4,
        "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x ~ x %}" * 60 + "{{ x|length }}",
        "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x + x %}" * 60 + "{{ x|length }}",
        "{% set x = [1] %}" + "{% set x = [x, x] %}" * 60 + "{{ x }}",
        "{% set x = [1] %}" + "{% set x = (x, x) %}" * 60 + "{{ x == x }}",
        "{% set x = {'a': 1} %}" + "{% set x = {'a': x, 'b': x} %}" * 60 + "{{ x }}",
        "{% set x = [1] %}" + "{% set x = x + x %}" * 60 + "{{ x|length }}",
        "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x|replace('a', x) %}" * 20 + "{{ x|length }}",
        "{% set x = 'aaaaaaaaaa' %}" + "{% set x = 'bbbbbbbbbb'|replace('', x) %}" * 2 + "{% set x = x|replace('', x) %}" * 9,
        "{% set x = 'aaaaaaaaaa' %}" + "{% set x = [x, x, x]|join(x) %}" * 60,
        "{% set x = 7 %}" + "{% set x = x * x %}" * 60 + "{{ x }}",
        "{% set x = 7.5 %}" + "{% set x = x * x %}" * 60 + "{{ x }}",
        "{{ 'a' * 1000000000 }}", "{{ [1] * 1000000000 }}", "{{ 1000000000 * 'a' }}", "{{ '%1000000000d' % 1 }}", "{{ 2 ** 99 }}",
        "{{ 'a'|center(1000000000) }}", "{{ 'a'|ljust(9) }}", "{{ 'a'|format(1) }}", "{{ 'a'|wordwrap(1) }}",
        "{{ [[1]]|sum([]) }}", "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}", "{{ " + "9" * 5_000 + " }}",
        "{{ " + "-" * 9_000 + "1 }}", "{% if x %}" * 60 + "{% endif %}" * 60, "{{ " + "[" * 60 + "]" * 60 + " }}",
        "{{ x" + "|upper" * 2_000 + " }}", "{{ x" + "[0]" * 9_000 + " }}",
    ],
    ids=range(32),
)  # fmt: skip
def test_a_template_ends_and_stays_small(template: str) -> None:
    refusal(template, x=["a"])


@pytest.mark.parametrize(
    "template", ["x" * (PROMPT_LIMIT_CHARS + 1), "{% for a in range(2000) %}" + "y" * 99 + "{% endfor %}"]
)
def test_what_comes_out_is_no_longer_than_a_prompt(template: str) -> None:
    assert "100,000 characters" in refusal(template).detail


def test_as_much_as_a_prompt_may_have_comes_out() -> None:
    assert len(render("{{ text }}", text="x" * PROMPT_LIMIT_CHARS)) == PROMPT_LIMIT_CHARS


def test_a_render_has_its_steps_and_no_more() -> None:
    assert render(f"{{% for a in range({MOST_WORK // 3}) %}}{{% endfor %}}ok") == "ok"
    assert "100,000 steps" in refusal(f"{{% for a in range({MOST_WORK}) %}}{{% endfor %}}").detail


def test_a_render_has_its_time_and_no_more() -> None:
    seconds = iter([0.0, *[MOST_RENDER_S + 1] * 9])
    template = compile_template("{% for a in range(5000) %}{% endfor %}")
    with pytest.raises(InvalidRequest, match="2 seconds"):
        template.render({}, Work(lambda: next(seconds)))


@pytest.mark.parametrize("value", ["x" * (MOST_VALUE_CHARS + 1), [1] * (MOST_VALUE_CHARS + 1)])
def test_a_value_that_is_too_large_is_not_computed_with(value: Any) -> None:
    assert "200,000" in refusal("{{ value|length }}", value=value).detail


def test_a_value_that_nests_too_deeply_is_refused() -> None:
    value: Any = 1
    for _ in range(60):
        value = [value]
    assert "nests" in refusal("{{ value }}", value=value).detail


@pytest.mark.parametrize(
    ("template", "said", "fix"),
    [
        ("a\n{{ unclosed", "line 2", "Jinja2"),
        ("a\n{% if %}", "line 2", "Jinja2"),
        ("{% do x %}", "unknown tag 'do'", "Jinja2"),
        ("{{ name|uper }}", "no filter 'uper'", "did you mean 'upper'?"),
        ("{{ name is strin }}", "no test 'strin'", "did you mean 'string'?"),
        ("{{ missing }}", "'missing' is undefined", "default"),
        ("{{ name.first }}", "no attribute 'first'", "default"),
        ("{% for a in name.first %}{% endfor %}", "no attribute 'first'", "default"),
        ("{{ name.first|upper }}", "no attribute 'first'", "default"),
        ("{{ [name.first] }}", "no attribute 'first'", "default"),
        ("{{ 1 / 0 }}", "division by zero", "expressions"),
        ("{{ name + 1 }}", "concatenate", "expressions"),
        ("{{ [1, 'a']|sort }}", "'<'", "expressions"),
        ("{{ 'a'|int }}", "not a number", "expressions"),
        ("{{ 3|upper }}", "given something else", "|string"),
        ("{{ name|items }}", "no object", "object"),
        ("{% for a in 3 %}{% endfor %}", "loops over 3", "range"),
    ],
)
def test_what_is_wrong_is_said_with_its_fix(template: str, said: str, fix: str) -> None:
    found = refusal(template, name="Ann")
    assert said in found.detail
    assert fix in str(found.fix)


def test_renders_do_not_share_their_work() -> None:
    template = compile_template(f"{{% for a in range({MOST_WORK // 3}) %}}{{% endfor %}}ok")
    assert [template.render({}) for _ in range(5)] == ["ok"] * 5
