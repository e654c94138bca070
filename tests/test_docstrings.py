"""Promises of the docstrings: public functions give shapes of tensors and errors, and what lacks it only gets less.

What counts, in `app.py` and `playground/`:

- *docstring*: a public class, function or method without one.
- *shape*: a public function whose annotations name a tensor or an array, and whose docstring gives no shape like
  `[rows, vocab]` (`[]` for a scalar).
- *raises*: a public function with a `raise` of PlaygroundError, ValueError, LookupError or a class below them, whose
  docstring names neither that class nor one above it. For `__init__` and `__post_init__`, the class's docstring counts.

What does not count:

- names that begin with an underscore, and what stands inside them or inside a function; overloads;
- properties and methods of one statement, exceptions without a body, and functions that return an exception, if only
  the docstring is missing: their names, annotations and sentences say the same;
- a method that a base class in Playground has with a docstring (`help()` shows that one), or that a base class of
  another library calls by this name (`OVERRIDDEN`);
- an error that a function raises which is called here, unless that function never returns.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from tests.test_layers import TREES, room

Function = ast.FunctionDef | ast.AsyncFunctionDef

# How many lack a docstring, a shape, an error: in all rooms that are not named here, none.
ALLOWED: dict[str, tuple[int, int, int]] = {
    "playground.decoding": (5, 2, 1),
    "playground.fast": (8, 9, 1),
    "playground.generators": (3, 0, 0),
    "playground.ui": (34, 0, 6),
}

TENSOR = re.compile(r"\b(\w*Tensor|ndarray|NDArray)\b")
SHAPE = re.compile(r"\[[\w ,.+*·/()-]*\]")
FAMILY = {
    "PlaygroundError": (),
    "ValueError": (),
    "UnicodeError": ("ValueError",),
    "JSONDecodeError": ("ValueError",),
    "LookupError": (),
    "KeyError": ("LookupError",),
    "IndexError": ("LookupError",),
}
"""The exceptions that count, each with the one above it: those of Python, and the root of Playground's own."""
OVERRIDDEN = {"forward", "emit", "send", "parse", "__call__"}


class Lack(NamedTuple):
    room: str
    kind: str
    place: str


def last_word(node: ast.AST | None) -> str:
    """`c` of `a.b.c[d](e)`."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function, without the functions and classes inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.ClassDef | ast.Lambda):
            yield child
            yield from own_nodes(child)


def annotations_of(function: Function) -> Iterator[str]:
    arguments = function.args
    each = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    found = [one.annotation for one in each if one is not None] + [function.returns]
    return (ast.unparse(annotation) for annotation in found if annotation is not None)


class Code:
    """The trees of some modules, by name, and what their docstrings lack."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        nodes = [node for tree in trees.values() for node in ast.walk(tree)]
        self.classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
        self.returned: dict[str, set[str]] = defaultdict(set)  # names of types, by function
        self.never_return: dict[str, list[Function]] = defaultdict(list)
        for node in nodes:
            if isinstance(node, Function) and node.returns:
                self.returned[node.name] |= set(re.findall(r"\w+", ast.unparse(node.returns)))
                if last_word(node.returns) == "NoReturn":
                    self.never_return[node.name].append(node)
        self.lacks = [lack for module, tree in trees.items() for lack in self.of_module(module, tree)]

    def bases(self, name: str) -> list[str]:
        """The names of the classes right above this one; not its own, which a class of another library may have."""
        if name in FAMILY or name not in self.classes:
            return list(FAMILY.get(name, ()))
        return [base for base in map(last_word, self.classes[name].bases) if base != name]

    def ancestors(self, name: str) -> list[str]:
        found = self.bases(name)
        for one in found:
            found += [base for base in self.bases(one) if base not in (*found, name)]
        return found

    def above(self, error: str) -> list[str]:
        """The exception and those it is derived from, as far as they count: [] where it does not."""
        return [one for one in (error, *self.ancestors(error)) if one in FAMILY or FAMILY.keys() & self.ancestors(one)]

    def inherits_docstring(self, owner: str, method: str) -> bool:
        for base in self.ancestors(owner):
            if base not in self.classes and method in OVERRIDDEN:
                return True
            body = self.classes[base].body if base in self.classes else []
            if any(isinstance(node, Function) and node.name == method and ast.get_docstring(node) for node in body):
                return True
        return False

    def errors_of(self, function: Function) -> set[str]:
        """What the function raises itself, and what it has raised by a function that never returns."""
        found: set[str] = set()
        for node in own_nodes(function):
            if isinstance(node, ast.Raise):
                name = last_word(node.exc)
                found |= {error for error in self.returned.get(name, {name}) if self.above(error)}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id != function.name:
                found |= set().union(*map(self.errors_of, self.never_return.get(node.func.id, [])))
        return found

    def names_raised(self, function: Function, docstring: str | None) -> bool:
        words = set(re.findall(r"\w+", docstring or ""))
        return all(words.intersection(self.above(error)) for error in self.errors_of(function))

    def of_module(self, module: str, tree: ast.Module) -> Iterator[Lack]:
        for node in tree.body:
            found: Iterator[tuple[str, str]] = iter(())
            if isinstance(node, Function) and not node.name.startswith("_"):
                found = ((node.name, kind) for kind in self.of_function(node, ""))
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found = self.of_class(node)
            yield from (Lack(room(module), kind, f"{module}.{name}") for name, kind in found)

    def of_class(self, node: ast.ClassDef) -> Iterator[tuple[str, str]]:
        said = ast.get_docstring(node)
        if said is None and not (self.above(node.name) and isinstance(node.body[0], ast.Pass)):
            yield node.name, "docstring"
        for each in node.body:
            if isinstance(each, Function) and each.name in ("__init__", "__post_init__"):
                if not self.names_raised(each, said):
                    yield node.name, "raises"
            elif isinstance(each, Function) and not each.name.startswith("_"):
                yield from ((f"{node.name}.{each.name}", kind) for kind in self.of_function(each, node.name))
            elif isinstance(each, ast.ClassDef) and not each.name.startswith("_"):
                yield from ((f"{node.name}.{inner}", kind) for inner, kind in self.of_class(each))

    def of_function(self, function: Function, owner: str) -> Iterator[str]:
        decorators = {last_word(each) for each in function.decorator_list}
        if "overload" in decorators or self.inherits_docstring(owner, function.name):
            return
        said = ast.get_docstring(function)
        speaks = (owner and len(function.body) == 1) or self.above(last_word(function.returns))
        if said is None and not speaks:
            yield "docstring"
        if any(map(TENSOR.search, annotations_of(function))) and not SHAPE.search(said or ""):
            yield "shape"
        if not self.names_raised(function, said):
            yield "raises"


LACKS = Code(TREES).lacks
KINDS = ("docstring", "shape", "raises")


@pytest.mark.parametrize("name", sorted({room(module) for module in TREES}))
def test_what_docstrings_lack_only_gets_less(name: str) -> None:
    mine = [lack for lack in LACKS if lack.room == name]
    counted = Counter(lack.kind for lack in mine)
    allowed = ALLOWED.get(name, (0, 0, 0))
    found = tuple(counted[kind] for kind in KINDS)
    more = [f"{lack.place} lacks: {lack.kind}" for lack in mine if counted[lack.kind] > allowed[KINDS.index(lack.kind)]]
    assert not more, f"{name} has {found}, {allowed} are allowed; say it in the docstring of one of these: {more}"
    assert found == allowed, f"{name} has become better than {allowed}: write {found} into ALLOWED"


def test_the_table_names_rooms_that_exist() -> None:
    assert set(ALLOWED) <= {room(module) for module in TREES}
    assert all(any(numbers) for numbers in ALLOWED.values())


EXAMPLE = '''
class Found(LookupError):
    pass

def wrong() -> Found:
    """What is raised."""

def shaped(scores: torch.Tensor) -> int:
    """The rows of scores [rows, vocab]; raises ValueError where there are none."""
    raise ValueError

def unshaped(scores: torch.Tensor | None, text: str) -> int:
    """The rows of scores."""

def returned(text: str) -> dict[str, np.ndarray]:
    """The scores of a text."""

def raises() -> int:
    """The rows; raises ValueError."""
    raise KeyError("rows")

def stop() -> NoReturn:
    """Raises ValueError."""
    raise ValueError

def stops() -> int:
    """The rows."""
    stop()

def bare():
    def inside():
        raise ValueError

class Table:
    """A table."""

    def __init__(self, rows: int) -> None:
        raise ValueError

    @property
    def rows(self) -> int:
        return 1

    def cut(self, scores: torch.Tensor) -> None:
        """Cuts scores [rows]."""

    def named(self) -> None:
        """Raises LookupError where it has no name."""
        raise KeyError

class Small(Table):
    """A small table; its `cut` is the same."""

    def cut(self, scores: torch.Tensor) -> None:
        return None

def _hidden(scores: torch.Tensor) -> None: ...
'''


def test_each_kind_is_found() -> None:
    found = {(lack.place, lack.kind) for lack in Code({"playground.one": ast.parse(EXAMPLE)}).lacks}
    one = "playground.one."
    assert found == {
        (f"{one}unshaped", "shape"),
        (f"{one}returned", "shape"),
        (f"{one}raises", "raises"),
        (f"{one}stops", "raises"),
        (f"{one}bare", "docstring"),
        (f"{one}Table", "raises"),
    }
