"""The house rules that can be read off the source: who imports whom, and how code is written.

``docs/architecture.md`` says why. An import under ``TYPE_CHECKING`` and one inside a function count like any other.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[1] / "src"

LAYERS = (
    ("errors",),
    ("checks", "flags", "mechanics", "ports", "values"),
    ("aside", "message", "quota"),
    ("chunk",),
    ("trace", "explanation", "stats"),
    ("answer", "call"),
    ("assembly", "estimate", "reply", "schema"),
    ("policy",),
    ("access", "guards", "pipeline", "runtime", "stores"),
    ("audit",),
    ("policies", "transport", "wire"),
    ("providers",),
    ("routing",),
    ("metering", "usage"),
    ("arguments", "engine", "presets"),
    ("stream",),
    ("dropin",),
    ("wrapping",),
    ("prompts",),
    ("gateway", "testing"),
    ("cli",),
    ("__main__",),
)
"""The lowest first. A module imports from the layers below its own, and from its own package; what stands above the
gateway may also import the public names."""

ONLY = {
    "mechanics": {"errors"},
    "policies": {
        "access",
        "aside",
        "audit",
        "call",
        "checks",
        "chunk",
        "errors",
        "guards",
        "mechanics",
        "message",
        "policy",
        "ports",
        "quota",
        "reply",
        "stores",
        "trace",
    },
    "ports": set(),
    "transport": {"errors", "ports"},
    "wire": {"call", "chunk", "errors", "message", "quota"},
}
"""Where less is allowed than the layers do."""

FOR_TYPES_ONLY = {
    ("aigw.errors", "aigw.chunk"),
    ("aigw.errors", "aigw.message"),
    ("aigw.errors", "aigw.quota"),
    ("aigw.errors", "aigw.trace"),
    ("aigw.policies.retry", "tenacity"),
}
"""What these annotate with, under ``TYPE_CHECKING``: errors carry values, and all values may raise errors."""

HELPERS = {
    ("aigw.policies.budget", "aigw.policies.budget_arguments"),
    ("aigw.policies.budget", "aigw.policies.budget_costs"),
    ("aigw.policies.budget", "aigw.policies.budget_demand"),
    ("aigw.policies.budget", "aigw.policies.budget_limits"),
    ("aigw.policies.budget", "aigw.policies.budget_warnings"),
    ("aigw.policies.budget", "aigw.policies.degrade"),
    ("aigw.policies.budget", "aigw.policies.placed"),
    ("aigw.policies.budget", "aigw.policies.scopes"),
    ("aigw.policies.budget", "aigw.policies.used"),
    ("aigw.policies.budget_arguments", "aigw.policies.budget_costs"),
    ("aigw.policies.budget_arguments", "aigw.policies.degrade"),
    ("aigw.policies.budget_costs", "aigw.policies.budget_limits"),
    ("aigw.policies.budget_costs", "aigw.policies.used"),
    ("aigw.policies.budget_arguments", "aigw.policies.budget_warnings"),
    ("aigw.policies.budget_demand", "aigw.policies.budget_costs"),
    ("aigw.policies.budget_demand", "aigw.policies.budget_limits"),
    ("aigw.policies.budget_demand", "aigw.policies.degrade"),
    ("aigw.policies.concurrency", "aigw.policies.line"),
    ("aigw.policies.concurrency", "aigw.policies.places"),
    ("aigw.policies.concurrency", "aigw.policies.turn"),
    ("aigw.policies.line", "aigw.policies.turn"),
    ("aigw.policies.places", "aigw.policies.line"),
    ("aigw.policies.places", "aigw.policies.steps"),
    ("aigw.policies.places", "aigw.policies.turn"),
    ("aigw.policies.queue", "aigw.policies.scopes"),
    ("aigw.policies.queue", "aigw.policies.turn"),
    ("aigw.policies.queue", "aigw.policies.used"),
    ("aigw.policies.turn", "aigw.policies.used"),
    ("aigw.policies.turnstile", "aigw.policies.line"),
    ("aigw.policies.turnstile", "aigw.policies.steps"),
    ("aigw.policies.turnstile", "aigw.policies.turn"),
    ("aigw.policies.concurrency", "aigw.policies.used"),
    ("aigw.policies.demand", "aigw.policies.windows"),
    ("aigw.policies.hedge", "aigw.policies.race"),
    ("aigw.policies.hedge", "aigw.policies.used"),
    ("aigw.policies.rate_limit", "aigw.policies.degrade"),
    ("aigw.policies.rate_limit", "aigw.policies.demand"),
    ("aigw.policies.rate_limit", "aigw.policies.mirror"),
    ("aigw.policies.rate_limit", "aigw.policies.reservation"),
    ("aigw.policies.rate_limit", "aigw.policies.placed"),
    ("aigw.policies.rate_limit", "aigw.policies.scopes"),
    ("aigw.policies.rate_limit", "aigw.policies.waiting"),
    ("aigw.policies.rate_limit", "aigw.policies.windows"),
    ("aigw.policies.reservation", "aigw.policies.demand"),
    ("aigw.policies.reservation", "aigw.policies.used"),
    ("aigw.policies.reservation", "aigw.policies.waiting"),
    ("aigw.policies.retry", "aigw.policies.strategies"),
    ("aigw.policies.waiting", "aigw.policies.demand"),
    ("aigw.policies.waiting", "aigw.policies.line"),
    ("aigw.policies.waiting", "aigw.policies.turn"),
    ("aigw.policies.waiting", "aigw.policies.turnstile"),
}
"""What a policy imports from its own package: policies do not know each other."""

HOMES = {
    # Other people's packages, each in one place.
    "botocore": ("aigw.providers.aws_auth",),
    "genai_prices": ("aigw.metering.genai",),
    "google": ("aigw.providers.google_auth",),
    "httpx": ("aigw.transport.",),
    "presidio_analyzer": ("aigw.guards.pii.presidio",),
    "pydantic": ("aigw.schema", "aigw.values"),
    "pydantic_core": (
        "aigw.dropin.",
        "aigw.providers.",
        "aigw.schema",
        "aigw.testing.",
        "aigw.wire.",
        "aigw.wrapping.",
    ),
    "redis": ("aigw.stores.redis_link",),
    "regex": ("aigw.metering.light",),  # comes with tiktoken
    "tenacity": ("aigw.policies.strategies",),
    "tiktoken": ("aigw.metering.",),
    "xllamacpp": ("aigw.providers.local_model",),
    # What waits, measures time or takes chances.
    "asyncio": (
        "aigw.cli",
        "aigw.flags",
        "aigw.runtime",
        "aigw.testing.",
        "aigw.transport.loop",
        "aigw.transport.timer",
    ),
    "random": ("aigw.engine", "aigw.testing."),
    "socket": ("aigw.transport.watchdog",),
    "sqlite3": ("aigw.stores.", "aigw.usage."),
    "subprocess": (),
    "time": (
        "aigw.aside",  # its threads let others run
        "aigw.dropin.transport",  # answers tell when they were made
        "aigw.runtime",
        "aigw.transport.",
        "aigw.wire.failures",  # Retry-After may be a date
        "aigw.wire.quota",  # and the end of a window a time of day
    ),
}
"""Where a package may be imported. ``random`` is free under ``TYPE_CHECKING``: it is handed in everywhere."""

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60


def unit_of(name: str) -> str:
    """Return the module or package right under aigw; empty for aigw itself."""
    return name.partition(".")[2].partition(".")[0]


def name_of(path: Path) -> str:
    """Return the name of the module in a file."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


class Module:
    """A file of the library, read but not run."""

    def __init__(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        self.lines = text.splitlines()
        self.tree = ast.parse(text)
        self.name = name_of(path)
        self.unit = unit_of(self.name)
        self._for_types = {
            id(node)
            for branch in ast.walk(self.tree)
            if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
            for statement in branch.body
            for node in ast.walk(statement)
        }

    def imports(self) -> Iterator[tuple[str, bool]]:
        """Yield the name of each imported module, and whether it is needed for types only."""
        for node in ast.walk(self.tree):
            for name in _imported(node):
                yield name, id(node) in self._for_types

    def within(self) -> Iterator[tuple[str, bool]]:
        """Yield the imports of other modules of the library."""
        for name, for_types in self.imports():
            if name.split(".")[0] == "aigw" and name != self.name:
                yield name, for_types


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        assert node.module is not None
        inner = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in names() else node.module for name in inner]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        return [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    return []


@cache
def names() -> frozenset[str]:
    """Return the names of all modules of the library."""
    return frozenset(name_of(path) for path in SOURCE.rglob("*.py"))


@cache
def modules() -> tuple[Module, ...]:
    """Read the whole library."""
    return tuple(Module(path) for path in sorted(SOURCE.rglob("*.py")))


def layer(unit: str) -> int:
    """Return the height of a module or package."""
    heights = [height for height, units in enumerate(LAYERS) if unit in units]
    assert heights, f"aigw.{unit} has no place in LAYERS"
    return heights[0]


def points_downwards(module: Module, name: str, *, for_types: bool) -> bool:
    """Tell whether a module may import the one with this name."""
    unit = unit_of(name)
    if for_types and (module.name, name) in FOR_TYPES_ONLY:
        return True
    if not module.unit:  # the package itself names what is public
        return layer(unit) <= layer("gateway") and unit != "testing"
    height = layer(module.unit)
    if not unit:  # whoever stands above the gateway uses it as an application does
        return height > layer("gateway")
    return unit == module.unit or layer(unit) < height


def test_every_module_has_its_place():
    """Nothing stands outside of the layers, and no layer names what is not there."""
    assert {unit for units in LAYERS for unit in units} == {module.unit for module in modules()} - {""}


def test_the_page_shows_these_layers():
    """``docs/architecture.md`` draws the layers as they are tested here."""
    page = (SOURCE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = page.partition("## Who may import whom")[2].split("```")[1].strip().splitlines()

    assert tuple(tuple(line.split()) for line in drawn) == LAYERS


def test_imports_point_downwards():
    """A module imports only from the layers below its own, and from its own package."""
    wrong = [
        f"{module.name} imports {name}"
        for module in modules()
        for name, for_types in module.within()
        if not points_downwards(module, name, for_types=for_types)
    ]

    assert not wrong, "\n".join(wrong)


def test_no_exception_is_left_over():
    """What is listed as needed for types is needed for types."""
    needed = {
        (module.name, name.split(".")[0] if name.startswith("tenacity") else name)
        for module in modules()
        for name, for_types in module.imports()
        if for_types
    }

    assert needed >= FOR_TYPES_ONLY


def test_narrow_packages_stay_narrow():
    """Pure code, formats, transports and policies know less than their place in the house would let them."""
    wrong = [
        f"{module.name} imports {name}"
        for module in modules()
        for name, _ in module.within()
        if unit_of(name) not in {module.unit, *ONLY.get(module.unit, {unit_of(name)})}
    ]

    assert not wrong, "\n".join(wrong)


def test_policies_do_not_know_each_other():
    """A policy imports no other policy; only the package lists them all."""
    pairs = {
        (module.name, name)
        for module in modules()
        for name, _ in module.within()
        if module.name.startswith("aigw.policies.") and name.startswith("aigw.policies.")
    }

    assert pairs == HELPERS


def test_nothing_is_imported_in_a_circle():
    """Run-time imports have no cycles, not even through imports inside functions."""
    graph = {module.name: [used for used, types in module.within() if not types] for module in modules()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " > ".join([*path, name])
        if name not in done:
            for used in graph[name]:
                visit(used, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())

    assert done == graph.keys()


def test_tests_stay_out_of_the_library():
    """Only the demo of the command line uses what was made for tests."""
    users = {
        module.name
        for module in modules()
        if module.unit != "testing" and any(unit_of(name) == "testing" for name, _ in module.within())
    }

    assert users <= {"aigw.cli.demo"}


def test_other_packages_have_one_home_each():
    """Each third-party package, and whatever waits or takes chances, is imported in its own place and nowhere else."""
    wrong = [
        f"{module.name} imports {name}"
        for module in modules()
        for name, for_types in module.imports()
        if not is_at_home(module, name.split(".")[0], for_types=for_types)
    ]

    assert not wrong, "\n".join(wrong)


def is_at_home(module: Module, package: str, *, for_types: bool) -> bool:
    """Tell whether a module may import a package."""
    if for_types and (package == "random" or (module.name, package) in FOR_TYPES_ONLY):
        return True
    if package in HOMES:
        return f"{module.name}.".startswith(HOMES[package])
    return package == "aigw" or package in sys.stdlib_module_names


def test_nothing_catches_everything_in_silence():
    """Whoever catches everything raises it again, or says why not; nobody writes a bare ``except``."""
    wrong = [
        f"{module.name}, line {node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        if node.type is None
        or (_is_broad(node.type) and "#" not in module.lines[node.lineno - 1] and not _raises_again(node))
    ]

    assert not wrong, "\n".join(wrong)


def _is_broad(caught: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id in {"Exception", "BaseException"} for node in ast.walk(caught))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_modules_keep_no_state():
    """Nothing is declared ``global``, and what a module holds that could be changed is a constant."""
    wrong = [
        f"{module.name}: {ast.unparse(node).splitlines()[0]}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Global) or (node in module.tree.body and _holds_state(node))
    ]

    assert not wrong, "\n".join(wrong)


def _holds_state(node: ast.AST) -> bool:
    if isinstance(node, ast.AnnAssign):
        return node.value is not None and _is_mutable(node.value) and "Final" not in ast.unparse(node.annotation)
    return isinstance(node, ast.Assign) and _is_mutable(node.value) and ast.unparse(node.targets[0]) != "__all__"


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).split(".")[-1] in {"dict", "list", "set", "deque", "defaultdict", "OrderedDict"}
    return isinstance(value, (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp))


def test_nobody_waits_while_holding_a_lock():
    """Locks are held for short steps only: there is no ``await`` inside ``with ...lock``."""
    wrong = [
        f"{module.name}, line {inner.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.With) and any("lock" in ast.unparse(item.context_expr) for item in node.items)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Await)
    ]

    assert not wrong, "\n".join(wrong)


def test_no_generator_stands_between_layers():
    """No async generator is left half-run when a stream is dropped: only the runtime has one, which a loop closes."""
    generators = {
        f"{module.name}.{node.name}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef)
        if any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in ast.walk(node))
    }

    assert generators == {"aigw.runtime._close_at_shutdown"}


def test_files_and_functions_stay_short():
    """A file fits into a head, and a function onto a screen."""
    files = [module.name for module in modules() if len(module.lines) > MOST_LINES_OF_A_FILE]
    functions = [
        f"{module.name}.{node.name}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]

    assert files == []
    assert functions == []
