"""Expressions that want more than they may, each with what it is refused for; run in a process that can be killed.

`python -m tests.support.hostile_expressions` evaluates them all and writes, as JSON, how each ended and how much memory it took.
"""

from __future__ import annotations

import json
import tracemalloc
from typing import Final
from unittest import mock

from stepward.domain.errors import OutputMalformed
from stepward.expressions import bounds
from stepward.expressions.evaluate import evaluate

TEXT: Final = "a text of more than"
VALUE: Final = "a value of more than"
MADE: Final = "makes values of more than"
WORK: Final = "more than 200,000 steps|takes longer than"
GROWS: Final = f"{TEXT}|{VALUE}|{MADE}|nested deeper|{WORK}"
PICTURE: Final = "picture"

_AGAIN: Final = "($f := function($x, $n){{ $n = 0 ? $x : $f({}, $n - 1) }}; {})"


def again(grown: str, begun: str, used: str = "{}") -> str:
    """Grow a value sixty times."""
    return _AGAIN.format(grown, used.format(f"$f({begun}, 60)"))


REFUSED: Final[dict[str, str]] = {
    # What a function makes of little.
    "$pad('x', 1000000000)": TEXT,
    "$pad('a', -1e12)": TEXT,
    "$pad('a', 1e300)": TEXT,
    "$replace($pad('a', 3000000, 'a'), 'a', $pad('b', 1000))": f"{TEXT}|{MADE}",
    "$replace($pad('a', 3000000, 'a'), /a/, $pad('b', 1000))": f"{TEXT}|{MADE}|{WORK}",
    "$replace($pad('', 1000000, 'ab'), 'a', '$0$0$0$0')": MADE,
    "$join($map([1..900], function($i){ $pad('', 9000) }), $pad('', 90000))": GROWS,
    "$split($pad('', 3000000, 'a,'), ',')": MADE,
    "$split($pad('', 3000000, 'a,'), '')": MADE,
    "$split($pad('', 3000000, 'a,'), /,/)": f"{MADE}|{WORK}",
    "$match($pad('', 3000000, 'a,'), /a/)": f"{MADE}|{WORK}",
    "$shuffle([1..5000000])": MADE,
    "[1..10000000]": MADE,
    "$sum([1..9999999])": MADE,
    "$zip([1..1000000], [1..1000000])": GROWS,
    "$map([1..1000], function($i){ $partition([1..1000], 1) })": f"{MADE}|{WORK}",
    "$parse($pad('', 700000, '[0,'))": "nested",
    "$parse('[' & $pad('0', 3000001, ',[]') & ']')": MADE,
    "$range(1, 1e15, 1)": "1000 are the most",
    # Numbers and times by pictures.
    "$now($pad('[Y]', 3000000, '[Y]'))": PICTURE,
    "$now('[Y,1000000000]')": PICTURE,
    "$now('[Y,*-99999999]')": PICTURE,
    "$now('[Y,9_9_9_9_9]')": PICTURE,
    "$fromMillis(1, '[f,1000000000]')": PICTURE,
    "$formatNumber(1, $pad('', 100000, '#'))": PICTURE,
    "$formatNumber(1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0!', {'exponent-separator': '(a+)+b'})": "not one character",
    "$formatInteger(1, $pad('', 1000000, '0'))": PICTURE,
    "$formatInteger(1e300, 'I')": "too large",
    "$formatInteger(1e300, 'Ww')": "too large",
    "$parseInteger($pad('', 1000000, 'z'), 'a')": PICTURE,
    "$toMillis($pad('', 60, 'a'), '(a+)+$')": PICTURE,
    "$toMillis($pad('', 60, '1'), '[d][d][d][d][d][d][d][d][d][d][d]x')": PICTURE,
    # Patterns.
    "$match($pad('', 3000000, 'a'), /[^b]{0,1000}b/)": "too long for the pattern",
    "$contains($pad('', 3000000, 'a'), /(a?){1000}b/)": "too long for the pattern",
    "$match($pad('', 100000, 'a'), /a[^b]*b|a/)": f"{WORK}|{MADE}",
    # What grows by itself.
    again("$x & $x", "'ab'"): GROWS,
    again("[$x, $x]", "[1]"): GROWS,
    again("[[$x], [$x]]", "[1]", "$count({})"): GROWS,
    again("[[$x], [$x]]", "[0]", "{} ? 1 : 2"): GROWS,
    again("{'a': $x, 'b': $x}", "{}", "$string({})"): GROWS,
    again("{'a': $x, 'b': $x}", "{}", "{} = 1"): GROWS,
    again("$append($x, $x)", "[1]"): GROWS,
    again("$zip($x, $x)", "[1, 2]"): GROWS,
    again("$merge([{'a': $x}, {'b': $x}])", "{}"): GROWS,
    again("$string([$x, $x])", "'\"'"): GROWS,
    again("$join([$x, $x, $x], $x)", "'a'"): GROWS,
    again("$base64encode($x & $x)", "'a'"): GROWS,
    again("$replace($x, /./, '$0$0$0')", "'a'"): GROWS,
    again("$map([1..2], function($i){ $x })", "1"): GROWS,
    again("$x.[$, $]", "[1]"): GROWS,
    "$map([1..1000], function($i){ [1..100000] })": f"{MADE}|{WORK}",
    "$map([1..1000], function($i){ $pad('x', 100000) })": MADE,
    "($b := [1..100000]; [1..1000].$b)": f"{MADE}|{WORK}",
    "($b := [1..100000]; $map([1..1000], function($i){ $append($b, $i) }))": f"{MADE}|{WORK}",
    "({'a': {'a': {'a': {'a': {'a': {}}}}}} ~> |$reverse(**)|{'x': [$string($), $string($)], 'y': $pad('', 900000)}|)": GROWS,
    # Work without an end, or much of it.
    "($f := function($x){ $f($x) }; $f(1))": WORK,
    "($f := function($x){ 1 + $f($x) }; $f(1))": f"steps deep|{WORK}",
    "($f := function($x){ [0, $f($x)] }; $f(1))": f"steps deep|{WORK}",
    "($f := function($x){ {'a': 1, 'b': $f($x)} }; $f(1))": f"steps deep|{WORK}",
    "($f := function($x){ $map([1, 2], $f) }; $f(1))": f"steps deep|{WORK}",
    "($f := function($x){ $replace('a', /a/, $f) }; $f(1))": f"steps deep|{WORK}",
    "($f := function($x){ $sort([1, 2], function($a, $b){ $f(1) }) }; $f(1))": f"steps deep|{WORK}",
    "($a := function(){ $b() }; $b := function(){ $a() }; $a())": WORK,
    "$sort([1..100000], function($a, $b){ $a < $b })": WORK,
    "$map([1..300000], $string)": WORK,
    "$filter([1..300000], function($i){ $i % 2 = 0 })": WORK,
    "$reduce([1..90000], function($a, $i){ $a & 'xxxxxxxxxx' }, '')": f"{WORK}|{MADE}",
    "($b := [1..30000]; $b[$b])": f"{WORK}|{MADE}",
    "[1..300].[1..300].[1..300]": f"{WORK}|{MADE}",
    "[1..300000]@$x.{'x': $x}": f"{WORK}|{MADE}",
    "($x := [1..1000]; $x.($x.($x)))": f"{WORK}|{MADE}",
    "($f := function($x)<a+a+a+a+a+a+a+s:x>{1}; $f([1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],1))": "signature",
}


def main() -> None:
    """Evaluate them all, by a clock that is soon over, so that what only time ends takes little of it."""
    with mock.patch.object(bounds, "TIMEOUT_MS", 100):
        print(json.dumps({expression: _end(expression) for expression in REFUSED}))  # noqa: T201


def _end(expression: str) -> tuple[str, float]:
    tracemalloc.start()
    try:
        evaluate(f"{{% {expression} %}}", {})
        ended = "it has a value"
    except OutputMalformed as error:
        ended = error.detail.rpartition("failed: ")[2]
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return ended, peak_bytes / 1_000_000


if __name__ == "__main__":
    main()
