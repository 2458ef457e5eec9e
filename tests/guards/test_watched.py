"""An answer through a `Guard`: whatever its pieces, what comes out is what would come out of the whole."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aigw import Gateway, Guard, Target, Tool
from aigw.guards.watched import without_telltales
from aigw.testing import ScriptedProvider
from guards.codes import CODE, Codes
from guards.parts import merged, pieces

MINE = "K-555-555"
"""A code of the user: in the answer its token stands for it."""

WORDS = st.lists(
    st.sampled_from(["K-123-456", "K-", "1", "K-12", "3-456", "TOKEN", "<", ">", "_", "word ", "\n", "é", "K"]),
    max_size=8,
).map("".join)
PARTS = st.lists(st.tuples(st.sampled_from(["text", "reasoning", "tool"]), WORDS), min_size=1, max_size=4)


def expected(kind, text, token, *, trusted):
    """Return what is to come out of a part, by the plainest means."""
    text = CODE.sub("[CODE]", text.replace("TOKEN", token))
    return text.replace(token, MINE) if kind != "tool" or trusted else text


def came_out(answer):
    """Return the parts of an answer, as they were put in."""
    kinds = {"text": "text", "reasoning": "reasoning", "tool_call": "tool"}
    parts = answer.choices[0].parts
    return [(kinds[part.type], part.arguments if part.type == "tool_call" else part.text) for part in parts]


@settings(max_examples=300, deadline=None)
@given(parts=PARTS.map(merged), cuts=st.lists(st.integers(0, 40), max_size=12), trusted=st.booleans())
def test_any_pieces_give_what_the_whole_gives(parts, cuts, trusted):
    """Texts, reasoning and arguments of tools, in any order and in any pieces."""

    def answer(call):
        token = call.messages[-1].text
        return list(pieces([(kind, text.replace("TOKEN", token)) for kind, text in parts], cuts))

    provider = ScriptedProvider.repeat(answer)
    guard = Guard(Codes(), where="everything", trusted_tools=["tool"] if trusted else ())
    gateway = Gateway({"r": Target(provider)}, [guard], usage=None)
    with gateway.stream(MINE, tools=[Tool("tool")]) as stream:
        list(stream)
    token = provider.calls[-1].messages[-1].text

    texts = [part for part in came_out(stream.answer) if part[1]]
    wanted = [(kind, expected(kind, text, token, trusted=trusted)) for kind, text in parts]
    in_order = (
        [part for part in wanted if part[0] != "tool"],
        [part for part in wanted if part[0] == "tool" and part[1]],
    )
    assert ([part for part in texts if part[0] != "tool"], [part for part in texts if part[0] == "tool"]) == in_order


def test_telltales_go_wherever_they_stand():
    """And nothing else changes: what has none is the same object."""
    plain = {"a": [{"b": 1}]}

    assert without_telltales({"x": [{"logprobs": 1, "y": {"top_logprobs": [], "z": 2}}]}) == {"x": [{"y": {"z": 2}}]}
    assert without_telltales(plain) is plain
