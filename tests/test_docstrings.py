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
- an error that something else raises which is called here.
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
    "playground.batch_files": (1, 0, 1),
    "playground.cli": (5, 0, 4),
    "playground.decoding": (5, 3, 1),
    "playground.fast": (9, 10, 1),
    "playground.generate": (0, 0, 2),
    "playground.generators": (3, 0, 1),
    "playground.inspection": (15, 2, 6),
    "playground.jobs": (1, 0, 0),
    "playground.machine": (1, 0, 1),
    "playground.models": (2, 0, 3),
    "playground.parameters": (2, 0, 2),
    "playground.rendering": (0, 0, 1),
    "playground.sampling": (6, 18, 5),
    "playground.settings": (1, 0, 0),
    "playground.storage": (4, 0, 2),
    "playground.tables": (6, 0, 1),
    "playground.tasks": (7, 0, 15),
    "playground.types": (2, 0, 0),
    "playground.ui": (35, 0, 6),
}

TENSOR = re.compile(r"\b(\w*Tensor|ndarray|NDArray)\b")
SHAPE = re.compile(r"\[[\w ,.+*/()-]*\]")
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


def annotations(function: Function) -> Iterator[str]:
    arguments = function.args
    each = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    found = [one.annotation for one in each if one is not None] + [function.returns]
    return (ast.unparse(annotation) for annotation in found if annotation is not None)


class Code:
    """The trees of some modules, by name, and what their docstrings lack."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        nodes = [node for tree in trees.values() for node in ast.walk(tree)]
        self.classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
        self.returned: dict[str, set[str]] = defaultdict(set)  # what functions of this name return
        for node in nodes:
            if isinstance(node, Function) and node.returns:
                self.returned[node.name] |= set(re.findall(r"\w+", ast.unparse(node.returns)))
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

    def names_raised(self, function: Function, docstring: str | None) -> bool:
        """Whether the docstring names all that the function raises itself."""
        raised = {last_word(node.exc) for node in own_nodes(function) if isinstance(node, ast.Raise)}
        errors = {error for name in raised for error in self.returned.get(name, {name}) if self.above(error)}
        return all(any(re.search(rf"\b{name}\b", docstring or "") for name in self.above(error)) for error in errors)

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
        if any(map(TENSOR.search, annotations(function))) and not SHAPE.search(said or ""):
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
        (f"{one}bare", "docstring"),
        (f"{one}Table", "raises"),
    }
