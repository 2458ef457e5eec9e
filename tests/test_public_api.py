"""The public names: complete, sorted, and as ``tests/public_api.txt`` says, so that every change of them is seen.

``python tests/test_public_api.py`` writes that file anew.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import aigw
import aigw.dropin
import aigw.providers
import aigw.testing

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD = Path(__file__).with_name("public_api.txt")
FACE = {
    "aigw": aigw.__all__,
    "aigw.dropin": aigw.dropin.__all__,
    "aigw.providers": aigw.providers.__all__,
    "aigw.testing": aigw.testing.__all__,
    # What the signatures of those name, and what writers of policies and providers need.
    "aigw.arguments": ["CommonOptions", "ChatOptions", "EmbedOptions", "RerankOptions"],
    "aigw.policy": ["Next"],
    "aigw.ports": ["Clock", "Flag", "HttpRequest", "HttpResponse", "Runtime", "Transport"],
    "aigw.providers.base": ["Provider"],
    "aigw.routing": ["Node"],
    "aigw.runtime": ["drive"],
    "aigw.prompts": ["Prompted"],
    "aigw.values": ["Value", "Evolving"],
    "aigw.wrapping": ["Wrapped"],
}
NOT_SHOWN = {"__del__", "__new__", "__pydantic_config__", "__reduce__", "__repr__", "__slots__", "__str__"}


@pytest.mark.parametrize("package", ["aigw", "aigw.policies", "aigw.providers", "aigw.routing", "aigw.testing"])
def test_names_are_sorted_and_there(package: str):
    """``__all__`` is sorted as ruff's RUF022 wants it, without doubles, and each name resolves."""
    module = importlib.import_module(package)
    names = module.__all__

    assert names == sorted(set(names), key=_rank)
    assert all(getattr(module, name) is not None for name in names)


def _rank(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_three_lists_name_the_same():
    """``__all__``, the table of homes and the imports for type checkers agree, name by name and module by module."""
    for_types = {
        alias.name: node.module
        for node in ast.walk(_tree(aigw.__file__))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("aigw.")
        for alias in node.names
    }

    assert sorted(aigw._HOMES, key=_rank) == aigw.__all__
    assert for_types == aigw._HOMES


def test_names_come_from_their_home():
    """A name is the very object of the module that the table gives, and stays loaded."""
    for name, home in aigw._HOMES.items():
        assert getattr(aigw, name) is getattr(importlib.import_module(home), name)
        assert name in vars(aigw)


def test_no_name_is_that_of_a_module():
    """Whoever imports ``aigw.x`` binds the module to that name: a public name that is the same would be lost."""
    modules = {module.name for module in pkgutil.iter_modules(aigw.__path__)}

    assert not modules & set(aigw.__all__)


def test_dir_shows_the_public_names():
    """``dir(aigw)`` shows what may be used, loaded or not, and nothing private."""
    shown = [name for name in dir(aigw) if not name.startswith("__")]

    assert shown == sorted(aigw.__all__)


@pytest.mark.parametrize("name", ["gatway", "_secret", "Gateway2", ""])
def test_unknown_names_are_attribute_errors(name: str):
    """A name that is not there fails as it does in any module."""
    with pytest.raises(AttributeError, match=f"module 'aigw' has no attribute '{name}'"):
        getattr(aigw, name)


def test_policies_and_nodes_are_public():
    """Every policy and every node of the routing tree is a name of aigw itself; only their base class is not."""
    names = {*importlib.import_module("aigw.policies").__all__, *importlib.import_module("aigw.routing").__all__}

    assert names - set(aigw.__all__) == {"Node"}


def test_the_face_is_as_recorded():
    """Names, arguments, defaults and attributes are those of the record.

    A change on purpose is written down with ``python tests/test_public_api.py``.
    """
    recorded = RECORD.read_text(encoding="utf-8").splitlines()

    assert recorded == list(face())


def face() -> Iterator[str]:
    """Yield the public face as lines of text."""
    yield "# What may be used from outside. Written by: python tests/test_public_api.py"
    for package, names in FACE.items():
        module = importlib.import_module(package)
        for name in names:
            yield ""
            yield from _described(f"{package}.{name}", getattr(module, name))


def _described(name: str, thing: Any) -> Iterator[str]:
    if inspect.isclass(thing):
        node = _definition(thing)
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        yield "".join(f"@{ast.unparse(mark)} " for mark in node.decorator_list) + f"{name}({bases})"
        yield from (f"    {line}" for line in _members(thing).values())
    elif inspect.isfunction(thing):
        yield f"{name}{_signature(_definition(thing))}"
    else:
        yield f"{name} = {thing!r}"


def _members(cls: type) -> dict[str, str]:
    """Find the public members of a class, and those that it has from private bases."""
    members: dict[str, str] = {}
    for base in cls.__mro__:
        if base is cls or (base.__name__.startswith("_") and base.__module__.startswith("aigw.")):
            for node in _definition(base).body:
                for name, text in _member(node):
                    members.setdefault(name, text)
    return members


def _member(node: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        name, text = ast.unparse(_target(node)), ast.unparse(node)
        if _is_public(name):
            yield name, text
        elif text == "_: KW_ONLY":
            yield "*", "*"
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_public(node.name):
        marks = "".join(f"@{ast.unparse(mark)} " for mark in node.decorator_list)
        kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        yield node.name, f"{marks}{kind} {node.name}{_signature(node)}"
        if node.name == "__init__":
            yield from _attributes(node)


def _attributes(init: ast.AST) -> Iterator[tuple[str, str]]:
    """Find what a constructor sets and outsiders may read."""
    for node in ast.walk(init):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            owner, _, name = ast.unparse(_target(node)).partition(".")
            if owner == "self" and name.isidentifier() and _is_public(name):
                yield name, f"self.{name}"


def _target(node: ast.Assign | ast.AnnAssign) -> ast.expr:
    return node.target if isinstance(node, ast.AnnAssign) else node.targets[0]


def _is_public(name: str) -> bool:
    return not name.startswith("_") or (name.endswith("__") and name not in NOT_SHOWN)


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    result = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    return f"({ast.unparse(node.args)}){result}"


def _definition(thing: Any) -> Any:
    """Find where a class or function is written."""
    for node in ast.walk(
        _tree(inspect.getsourcefile(inspect.unwrap(thing) if inspect.isfunction(thing) else thing) or "")
    ):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == thing.__name__:
            return node
    raise AssertionError(f"no source of {thing!r}")


@cache
def _tree(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text(encoding="utf-8"))


if __name__ == "__main__":
    RECORD.write_text("\n".join(face()) + "\n", encoding="utf-8")
