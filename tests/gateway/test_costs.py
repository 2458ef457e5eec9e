"""What an answer has cost, on both faces: the sum of all attempts, exact, and unknown where one of them is."""

from __future__ import annotations

import subprocess
import sys
import threading
from decimal import Decimal

import pytest

import aigw
from aigw import Fallback, Target, Usage
from aigw.call import Cost
from aigw.chunk import Chunk, Verdict
from aigw.errors import AllTargetsFailed, BadResponse, ConfigError, Overloaded, StreamInterrupted
from aigw.metering import GenaiPrices, PriceTable
from aigw.policies import Retry
from aigw.testing import FakeClock, ScriptedProvider

TABLE = {
    "version": "2026-11",
    "scripted/cheap": {"input": 1, "output": 2, "cached": 0.1},
    "scripted/dear": {"input": 100, "output": 200},
    "scripted/vectors": {"input": 10},
}
USED = Usage(1000, 100, cached=500)


def target(*script, model="cheap", usage=USED, **options):
    """Make a target that tells what it has used."""
    return Target(ScriptedProvider(*script, usage=usage), model=model, name=model, **options)


@pytest.fixture
def gateway(face):
    """Make a gateway with one route and the table; ``gateway(node)``."""

    def make(node, *policies, prices=TABLE, **options):
        return face({"r": node}, policies, clock=FakeClock(), prices=prices, **options)

    return make


def test_an_answer_tells_its_cost(gateway):
    """Exactly, with the version of the prices in the trace, which shows it."""
    answer = gateway(target("hello")).chat()

    assert answer.cost == answer.trace.cost == Decimal("0.00075")
    assert [(attempt.cost, attempt.prices) for attempt in answer.trace.attempts] == [(answer.cost, "2026-11")]
    assert "1000 tokens in, 100 out, $0.00075" in str(answer.trace)
    assert aigw.Answer.from_json(answer.to_json()).cost == answer.cost


def test_a_stream_tells_its_cost_at_its_end(gateway):
    """While it runs the cost is not known, because the usage is not."""
    reading = gateway(target(["so ", "far"])).stream()
    reading.take(1)
    before = reading.answer.cost
    reading.rest()

    assert (before, reading.answer.cost) == (None, Decimal("0.00075"))


def test_failures_that_were_charged_count(gateway):
    """An attempt that failed after the provider had told its usage costs what it costs, and so does the next."""
    failed = target([Chunk(usage=Usage(2000, 0)), BadResponse], model="dear")
    reading = gateway(Fallback(failed, target("hello"))).stream()
    reading.rest()

    assert [attempt.outcome for attempt in reading.trace.attempts] == ["BadResponse", "ok"]
    assert reading.answer.cost == Decimal("0.2") + Decimal("0.00075")


def test_refusals_cost_nothing(gateway):
    """A provider that answers with an error status has computed nothing."""
    answer = gateway(target(Overloaded("busy", status=503), "hello"), Retry(attempts=2)).chat()

    assert [attempt.cost for attempt in answer.trace.attempts] == [Decimal(0), Decimal("0.00075")]
    assert answer.cost == Decimal("0.00075")


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(lambda: target("hello", usage=None), id="usage-not-told"),
        pytest.param(lambda: target("hello", model="unheard-of"), id="price-not-known"),
        pytest.param(lambda: target(BadResponse("cut"), "hello"), id="retry-after-one-that-may-have-been-charged"),
        pytest.param(
            lambda: Fallback(target(["far", BadResponse], model="unheard-of", usage=None), target("hello")),
            id="fallback-after-one-that-was-cut",
        ),
        pytest.param(lambda: target("hello", usage=Usage(1, 1, estimated=True)), id="guessed-usage"),
    ],
)
def test_unknown_stays_unknown(gateway, node):
    """One attempt whose tokens or price are not known makes the cost of the call unknown, not smaller."""
    answer = gateway(node(), Retry(attempts=2)).chat()

    assert answer.text == "hello"
    assert answer.cost is None


def test_a_call_that_fails_tells_its_cost(gateway):
    """The trace of the error has the sum of what was charged in vain."""
    nodes = Fallback(
        target([Chunk(usage=Usage(2000, 0)), BadResponse]), target(Overloaded("busy", status=503), model="dear")
    )
    with pytest.raises(AllTargetsFailed) as caught:
        gateway(nodes).stream().rest()

    assert caught.value.trace.cost == Decimal("0.002")


def test_a_stream_that_is_cut_or_left_has_an_unknown_cost(gateway):
    """It has used something, and nobody told how much."""
    cut = gateway(target(["so ", "far", BadResponse], usage=None)).stream()
    with pytest.raises(StreamInterrupted) as caught:
        cut.rest()
    left = gateway(target(["so ", "far"])).stream()
    left.take(1)
    left.close()

    assert caught.value.trace.cost is None
    assert left.answer.cost is None
    assert left.trace.attempts[0].usage.estimated


def test_the_other_operations_tell_their_cost(gateway):
    """Vectors, rankings and verdicts."""
    usage = Usage(1000, 0)
    embedding = gateway(target("hello", model="vectors", usage=usage)).embed(["a"])
    ranked = gateway(target(Chunk(ranking=(aigw.Ranked(0, 1.0),)), model="vectors", usage=usage))
    judged = gateway(target(Chunk(verdicts=(Verdict(flagged=False),)), model="vectors", usage=usage))

    assert embedding.cost == Decimal("0.01")
    assert ranked.call(ranked.gateway, "rerank", "q", ["a"]).cost == Decimal("0.01")
    assert judged.call(judged.gateway, "moderate", "a").cost == Decimal("0.01")


def test_no_prices_means_unknown(gateway):
    """With ``prices=None`` no cost is known, but of what was never charged."""
    node = target(Overloaded("busy", status=503), "hello")
    answer = gateway(node, Retry(attempts=2), prices=None).chat()

    assert answer.cost is None
    assert [attempt.cost for attempt in answer.trace.attempts] == [Decimal(0), None]


class Flat:
    """A price book of the user's own, that notes when it is loaded."""

    def __init__(self):
        self.loaded = 0
        self.thread = None

    def load(self):
        self.loaded += 1
        self.thread = threading.current_thread()

    def cost(self, provider, model, usage):
        return Cost(Decimal(usage.total), "flat") if (provider, model) == ("scripted", "unheard-of") else None


def test_the_first_book_that_knows_wins(gateway, tmp_path):
    """A list of tables, files and books is asked in turn, and no other; a book is loaded before the first call."""
    path = tmp_path / "prices.toml"
    path.write_text('["scripted/cheap"]\ninput = 7\noutput = 7\n')
    flat = Flat()
    books = [{"scripted/dear": {"input": 0, "output": 0}}, path, flat, TABLE]
    made = [
        gateway(target("a", "b", model=model), prices=books) for model in ("dear", "cheap", "unheard-of", "gpt-5.5")
    ]

    assert [made[0].chat().cost, made[1].chat().cost, made[2].chat().cost] == [0, Decimal("0.0077"), 1100]
    assert made[3].chat().cost is None
    assert flat.loaded == 4
    made[2].chat()
    assert flat.loaded == 4


def test_prices_are_loaded_beside_an_event_loop(gateway, face):
    """Which goes on meanwhile; the blocking face needs no thread for it. The first call has its cost already."""
    flat = Flat()
    answer = gateway(target("hello", model="unheard-of"), prices=flat).chat()

    assert answer.cost == 1100
    assert (flat.thread is threading.current_thread()) == face.blocking


def test_a_price_book_that_fails_costs_no_answer(gateway):
    """The answer is there and was paid for; only its cost is not known."""

    class Broken:
        def cost(self, provider, model, usage):
            raise RuntimeError("no prices today")

    answer = gateway(target("hello"), prices=Broken()).chat()

    assert (answer.text, answer.cost) == ("hello", None)


def openai_target(upstream, model):
    """Make a target of OpenAI's that stands on loopback."""
    return Target(f"openai/{model}", base_url=upstream.url, api_key="k")


def test_the_users_table_comes_before_genai_prices(gateway, upstream):
    """A table given as a mapping is asked first, and genai-prices for the rest; a `PriceTable` is asked alone."""
    own = {"openai/gpt-5.5": {"input": 1_000_000, "output": 0}}
    known = GenaiPrices()

    def cost(model, **options):
        return gateway(openai_target(upstream, model), **options).chat().cost

    assert cost("gpt-5.5", prices=own) == 1
    assert cost("gpt-4o", prices=own) == known.cost("openai", "gpt-4o", Usage(1, 4)).usd
    assert cost("gpt-4o", prices=PriceTable(own)) is None
    assert cost("gpt-4o", prices=known) == known.cost("openai", "gpt-4o", Usage(1, 4)).usd


def test_genai_prices_is_asked_by_default(face, upstream):
    """Where it is installed, public models have a known cost without any set-up; a server of one's own has not."""
    routes = {"openai": openai_target(upstream, "gpt-4o"), "own": Target(upstream.url, model="gpt-4o")}
    gateway = face(routes)

    assert gateway.chat(model="openai").cost == GenaiPrices().cost("openai", "gpt-4o", Usage(1, 4)).usd
    assert gateway.chat(model="own").cost is None


def test_without_genai_prices_there_is_only_the_users_table():
    """The extra is optional: nothing fails, and what the table does not have is unknown."""
    program = """
import sys
sys.modules["genai_prices"] = None
import aigw
from aigw.metering import GenaiPrices
from aigw.testing import ScriptedProvider
def gateway(**options): return aigw.Gateway({"r": aigw.Target(ScriptedProvider("a"), model="m")}, **options)
print(gateway().chat("x").cost, gateway(prices={"m": {"input": 1000000, "output": 0}}).chat("x").cost)
try: GenaiPrices()
except aigw.ConfigError as error: print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout.splitlines()[0].split()[0] == "None"
    assert Decimal(done.stdout.splitlines()[0].split()[1]) == 1
    assert 'pip install "aigw[prices]"' in done.stdout


@pytest.mark.parametrize("model", ["openai/gpt-4o", "gpt-4o"])
def test_a_wrapped_function_has_the_price_of_its_model(model):
    """Also where only the model is named, and the provider follows from it."""
    gateway = aigw.Gateway(routes={"r": target("x")})
    traces = []

    class Watch:
        async def handle(self, call, inner):
            traces.append(call.trace)
            return await inner(call)

    @gateway.wrap(model=model, usage=lambda _: Usage(1000, 10), policies=[Watch()])
    def ask(prompt):
        return prompt

    ask("hello")

    assert traces[0].cost == GenaiPrices().cost("openai", "gpt-4o", Usage(1000, 10)).usd


@pytest.mark.parametrize("wrong", [5, [5], GenaiPrices, [GenaiPrices], True])
def test_wrong_prices_are_refused_at_once(face, wrong):
    """The error names the argument and what it may be."""
    with pytest.raises(ConfigError, match=r"Gateway\(prices\)"):
        face({"r": target("x")}, prices=wrong)
