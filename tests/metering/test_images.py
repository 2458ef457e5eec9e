"""Images: their size, read off the header, and what that costs."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.message import Image
from aigw.metering.images import MIDDLING, Area, Fixed, Patches, Tiles, image_tokens, size_of
from aigw.metering.models import encoding_of, image_rule_of, tool_tokens_of

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + b"\x08\x06\0\0\0"
GIF = b"GIF89a" + struct.pack("<HH", 640, 480) + b"\0\0\0"
FRAME = b"\xff\xc2\0\x11\x08" + struct.pack(">HH", 480, 640) + b"\x03" + b"\0" * 12
JPEG = b"\xff\xd8" + b"\xff\xe0\0\x10" + b"J" * 14 + b"\xff\xe1\xff\xff" + b"E" * 65_533 + b"\xff\xc4\0\x04xx" + FRAME
WEBP_LOSSY = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640, 480) + b"\0"
WEBP_LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14) + b"\0" * 9
WEBP_EXTENDED = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0" + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")


@pytest.mark.parametrize("data", [PNG, GIF, JPEG, WEBP_LOSSY, WEBP_LOSSLESS, WEBP_EXTENDED])
def test_the_size_stands_in_the_header(data):
    """Width and height are read off every format that providers take, large metadata before them or not."""
    assert size_of(Image.from_bytes(data, "image/any").url) == (640, 480)
    assert size_of(Image.from_bytes(data + b"\0" * 1000, "image/any").url) == (640, 480)


@pytest.mark.parametrize("data", [PNG, GIF, JPEG, WEBP_LOSSY, WEBP_LOSSLESS, WEBP_EXTENDED])
@pytest.mark.parametrize("kept", [0, 2, 9, 15, 21])
def test_a_cut_image_has_no_size(data, kept):
    """What ends before its size has none, and nothing is raised."""
    assert size_of(Image.from_bytes(data[:kept], "image/any").url) in {None, (640, 480)}


@given(st.binary(max_size=80), st.sampled_from([b"", PNG[:16], GIF[:6], JPEG[:4], WEBP_LOSSY[:16], WEBP_LOSSLESS[:16]]))
def test_no_image_raises(data, head):
    """Whatever bytes an image holds, its size is known or not."""
    size = size_of(Image.from_bytes(head + data, "image/png").url)

    assert size is None or min(size) > 0


@pytest.mark.parametrize(
    "url", ["https://example.com/a.png", "data:,x", "data:image/png;base64", "data:image/png;base64,???"]
)
def test_other_urls_have_no_size(url):
    """A link is never followed, and what is not base64 is not read."""
    assert size_of(url) is None


@pytest.mark.parametrize(
    ("model", "size", "detail", "tokens"),
    [
        # The examples of OpenAI's guide to vision.
        ("gpt-4o", (1024, 1024), "high", 765),
        ("gpt-4o", (2048, 4096), "high", 1105),
        ("gpt-4o", (4096, 8192), "low", 85),
        ("gpt-4o", (512, 512), None, 255),
        ("gpt-4.1-mini", (1024, 1024), None, 1659),
        ("gpt-4.1-nano", (1024, 1024), None, 2520),
        ("o4-mini", (1800, 2400), None, 2498),  # 1452 patches
        ("gpt-5", (1024, 1024), None, 630),
        ("o1", (1024, 1024), None, 675),
        ("gpt-5-mini", (4000, 4000), "low", 415),
        # Measured at the API, in a published table.
        ("gpt-5.5", (256, 256), None, 77),
        ("gpt-5.5", (1024, 1024), None, 1229),
        ("gpt-5.5", (1920, 1080), None, 2448),
        ("gpt-5.5", (3840, 2160), None, 9792),
        # The example of Anthropic's guide, and its bound.
        ("claude-sonnet-4-5", (1000, 1000), None, 1334),
        ("claude-sonnet-4-5", (4000, 4000), None, 1600),
        ("us.anthropic.claude-sonnet-4-5-v1:0", (1, 1), None, 1),
        ("gemini-2.5-flash", (300, 300), None, 258),
        ("gemini-3-pro", (300, 300), None, 1120),
        ("llava", (300, 300), None, 765),
    ],
)
def test_the_tokens_of_an_image(model, size, detail, tokens):
    """Each model counts images by its own rule."""
    assert image_rule_of(model).tokens(*size, detail) == tokens


@given(
    st.sampled_from([Tiles(85, 170), Patches(1.62, 1536), Patches(1.2, 10_000), Area(750, 1568, 1600), Fixed(258)]),
    st.integers(1, 50_000),
    st.integers(1, 50_000),
    st.sampled_from([None, "low", "high", "auto"]),
)
def test_any_size_can_be_counted(rule, width, height, detail):
    """There is a count for every size, and it has a bound."""
    assert 1 <= rule.tokens(width, height, detail) <= 12_000


def test_an_image_of_unknown_size_is_a_usual_one():
    """An image that is given by a link counts as 1024 by 1024 pixels, or as middling where the rule is not known."""
    link = Image("https://example.com/a.png")

    assert image_tokens(link, image_rule_of("gpt-4o")) == 765
    assert image_tokens(link, MIDDLING) == 765
    assert image_tokens(Image.from_bytes(PNG, "image/png"), image_rule_of("gpt-4o")) == 85 + 2 * 170


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-5.5", "o200k_base"),
        ("GPT-4o", "o200k_base"),
        ("gpt-4.1-mini", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-35-turbo", "cl100k_base"),
        ("ft:gpt-4o:acme::1", "o200k_base"),
        ("openai/o3", "o200k_base"),
        ("openai.gpt-oss-120b-1:0", "o200k_base"),
        ("us.openai.gpt-oss-20b", "o200k_base"),
        ("text-embedding-3-large", "cl100k_base"),
        ("claude-sonnet-5", None),
        ("llama-3.3-70b", None),
        ("", None),
    ],
)
def test_which_encoding_a_model_uses(model, name):
    """The encoding follows from the beginning of the name, whatever stands before it."""
    assert encoding_of(model) == name


def test_encodings_agree_with_tiktoken():
    """Every chat and embedding model that tiktoken knows has the same encoding here, where there is a table."""
    from tiktoken.model import MODEL_PREFIX_TO_ENCODING, MODEL_TO_ENCODING

    known = {"o200k_base": "o200k_base", "cl100k_base": "cl100k_base", "o200k_harmony": "o200k_base"}
    theirs = {**MODEL_TO_ENCODING, **MODEL_PREFIX_TO_ENCODING}
    wrong = {
        model: name
        for model, name in theirs.items()
        if name in known and not model.startswith("ft:davinci") and encoding_of(model) != known[name]
    }

    assert wrong == {}


def test_tools_cost_more_with_old_models():
    """The figures of the cookbook are for two families; newer models are like the younger one."""
    assert [tool_tokens_of(model) for model in ("gpt-4-turbo", "gpt-3.5-turbo", "gpt-4o", "gpt-5.5")] == [10, 10, 7, 7]
