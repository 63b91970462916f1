"""Reduce a graph of modules: tasks that have become one step.

A series-parallel graph reduces to one step; of any other, every series-parallel part does, and one await before a
part serves all of its heads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stepward.workflows.compiler.series_parallel.tree import Await, Par, Seq, Step, Task
from stepward.workflows.program.graphs import transitive_reduction

# Modules.


Surroundings = tuple[frozenset[int], frozenset[int]]


@dataclass
class Module:
    """A step with its edges to other modules; `tasks` and `past` are masks of tasks."""

    step: Step
    ends: tuple[int, ...]
    tasks: int
    past: int
    above: set[int]
    below: set[int]

    @property
    def surroundings(self) -> Surroundings:
        """The predecessors and successors; modules that agree in both can be merged."""
        return frozenset(self.above), frozenset(self.below)


@dataclass
class Modules:
    """A reduced graph of modules, each with the number of one of its tasks."""

    at: dict[int, Module]
    seen: dict[Surroundings, int] = field(default_factory=dict)

    def copy(self) -> Modules:
        """Return a copy that can be reduced without a change to this one."""
        return Modules({key: _copied(module) for key, module in self.at.items()}, dict(self.seen))

    def ordered(self) -> list[int]:
        """Return the modules, each after its predecessors."""
        return sorted(self.at, key=lambda key: (self.at[key].past.bit_count(), key))

    def chain(self, first: int, then: int) -> tuple[int, set[int]]:
        """Merge two modules that are each other's only neighbours.

        Returns:
            The key of the result, and the modules whose edges changed.
        """
        up, down = self.at.pop(first), self.at.pop(then)
        step = Seq((up.step, down.step))
        made = Module(step, down.ends, up.tasks | down.tasks, up.past, up.above, down.below)
        # The side with more edges keeps its key, so a long fold never moves the same edges again and again.
        key = first if len(down.below) <= len(up.above) else then
        self.at[key] = made
        return key, self._moved_below(then, key) if key == first else self._moved_above(first, key)

    def _moved_below(self, old: int, new: int) -> set[int]:
        for other in self.at[new].below:
            self.at[other].above.remove(old)
            self.at[other].above.add(new)
        return self.at[new].below

    def _moved_above(self, old: int, new: int) -> set[int]:
        for other in self.at[new].above:
            self.at[other].below.remove(old)
            self.at[other].below.add(new)
        return self.at[new].above

    def join_twins(self, kept: int, gone: int) -> set[int]:
        """Put two modules with the same neighbours in parallel; return those that lost an edge."""
        twin, other = self.at[kept], self.at.pop(gone)
        for key in twin.above:
            self.at[key].below.remove(gone)
        for key in twin.below:
            self.at[key].above.remove(gone)
        twin.step = Par((twin.step, other.step))
        twin.ends += other.ends
        twin.tasks |= other.tasks
        return twin.above | twin.below

    def twin_of(self, key: int) -> int | None:
        """Find a module with the same neighbours; the cached one is checked: it may differ now."""
        around = self.at[key].surroundings
        found = self.seen.get(around)
        if found is None or found not in self.at or self.at[found].surroundings != around:
            self.seen[around] = found = key
        return None if found == key else found

    def cut(self, join: int, under: int | None) -> set[int]:
        """Replace a join's edges, except from `under`, by an await; return the changed modules.

        Only the join's own past shrinks. Its successors keep theirs, so they may still close a parallel.
        """
        module = self.at[join]
        needs = module.above - {under}
        module.step = Seq((Await(self.ends_of(needs)), module.step))
        self._hand_down(join, needs, under)
        for need in needs:
            self.at[need].below.discard(join)
        module.above = set() if under is None else {under}
        module.past = 0
        if under is not None:
            self.at[under].below.add(join)
            module.past = self.at[under].past | self.at[under].tasks
        return needs | module.above | module.below

    def ends_of(self, keys: set[int]) -> tuple[int, ...]:
        """Return the last tasks of some modules."""
        return tuple(sorted(end for key in keys for end in self.at[key].ends))

    def _hand_down(self, join: int, needs: set[int], under: int | None) -> None:
        kept = 0 if under is None else self.at[under].past | 1 << under
        for key in self.at[join].below:
            heir = self.at[key]
            implied = kept
            for other in heir.above - {join}:
                implied |= self.at[other].past
            for need in sorted(needs):
                if not implied >> need & 1:
                    heir.above.add(need)
                    self.at[need].below.add(key)


def _copied(module: Module) -> Module:
    return Module(module.step, module.ends, module.tasks, module.past, set(module.above), set(module.below))


def modules_of(needs: Sequence[Sequence[int]], past: Sequence[int]) -> Modules:
    """Return a module for each task, with the edges of the transitive reduction."""
    at = {
        task: Module(Task(task), (task,), 1 << task, past[task], set(direct), set())
        for task, direct in enumerate(transitive_reduction(needs, past))
    }
    for task, module in at.items():
        for need in module.above:
            at[need].below.add(task)
    return Modules(at)


# Reduction without awaits.


def reduce_graph(graph: Modules, changed: Iterable[int]) -> None:
    """Reduce wherever something changed, until nothing does; each module is queued once."""
    queue = _Queue(changed)
    while (key := queue.take()) is not None:
        if key in graph.at:
            _fold_at(graph, key, queue)


def _fold_at(graph: Modules, key: int, queue: _Queue) -> None:
    while (pair := _pair(graph, key)) is not None:
        key, moved = graph.chain(*pair)
        queue.put(moved)
    twin = graph.twin_of(key)
    if twin is not None:
        queue.put({twin} | graph.join_twins(twin, key))


def _pair(graph: Modules, key: int) -> tuple[int, int] | None:
    module = graph.at[key]
    if len(module.below) == 1:
        (then,) = module.below
        if len(graph.at[then].above) == 1:
            return key, then
    if len(module.above) == 1:
        (first,) = module.above
        if len(graph.at[first].below) == 1:
            return first, key
    return None


class _Queue:
    """A queue without repeats, so that a module with many edges is compared once a round."""

    def __init__(self, keys: Iterable[int]) -> None:
        self._line: deque[int] = deque()
        self._in_line: set[int] = set()
        self.put(keys)

    def put(self, keys: Iterable[int]) -> None:
        for key in sorted(keys):
            if key not in self._in_line:
                self._in_line.add(key)
                self._line.append(key)

    def take(self) -> int | None:
        if not self._line:
            return None
        key = self._line.popleft()
        self._in_line.discard(key)
        return key
