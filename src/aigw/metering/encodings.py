"""OpenAI's encodings, from tables that come with the library: nothing is ever downloaded.

tiktoken fetches its tables when an encoding is first used, which may block or fail. Here they are data in the wheel,
checked by the same hash as tiktoken checks them, and `tiktoken.Encoding` is built of them directly.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Protocol, TypeVar

from aigw.aside import BesideThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import tiktoken

    from aigw.metering.light import LightEncoding


class Facts(NamedTuple):
    """What there is to know of an encoding besides its table; the same as in ``tiktoken_ext.openai_public``.

    Args:
        sha256: hash of the table, as tiktoken writes it.
        pattern: cuts a text into the pieces that are encoded each by itself.
        special: texts that stand for one token where they are not ordinary text.
    """

    sha256: str
    pattern: str
    special: Mapping[str, int]


_UPPER: Final = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER: Final = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_ENDINGS: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"

FACTS: Final[Mapping[str, Facts]] = {
    "o200k_base": Facts(
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        "|".join(
            (
                rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_ENDINGS}",
                rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_ENDINGS}",
                r"\p{N}{1,3}",
                r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
                r"\s*[\r\n]+",
                r"\s+(?!\S)",
                r"\s+",
            )
        ),
        {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    ),
    "cl100k_base": Facts(
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"
        r"\s+(?!\S)|\s",
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
}
"""The encodings that there are tables of."""


class Encoder(Protocol):
    """What counts the tokens of a text: tiktoken's encoding, or a light one."""

    def encode_ordinary(self, text: str) -> Sequence[int]:
        """Encode a text; what looks like a special token is ordinary text."""
        ...


E = TypeVar("E", bound=Encoder)


class Encodings(Generic[E]):
    """Loads encodings, each once in a process.

    A table takes about a quarter of a second. Of tiktoken's one half is parsing, beside which other threads run; the
    other is a step of 60 to 230 ms in which it builds its index of the tokens, and no other thread runs. So nothing
    loads those beside an event loop by itself; see `aigw.metering.load_encodings`.

    Args:
        make: builds one.
        what: names its threads.
    """

    def __init__(self, make: Callable[[str], E], what: str = "") -> None:
        self._make = make
        self._what = what
        self._loaded: dict[str, E | None] = {}
        self._forget_threads()

    def ready(self, name: str) -> E | None:
        """Return an encoding if it is loaded; else have it loaded by a thread of its own, and return ``None``.

        Args:
            name: ``o200k_base`` or ``cl100k_base``.
        """
        try:
            return self._loaded[name]
        except KeyError:
            self._start(name)
            return None

    def loaded(self, name: str) -> E | None:
        """Return an encoding if it is loaded, and do nothing if it is not."""
        return self._loaded.get(name)

    def load(self, name: str) -> E:
        """Return an encoding; wait for it if need be.

        Raises:
            OSError: the table that came with the library is missing.
            ValueError: it was changed.
        """
        if (known := self._loaded.get(name)) is not None:
            return known
        self._check_process()
        with self._lock(name):
            if (known := self._loaded.get(name)) is None:
                known = self._loaded[name] = self._make(name)
        return known

    def _start(self, name: str) -> None:
        self._check_process()
        with self._starting:
            if name in self._threads:
                return
            self._threads.add(name)
        BesideThread(target=self._run, args=(name,), name=f"aigw-{self._what}{name}", daemon=True).start()

    def _run(self, name: str) -> None:
        try:
            self.load(name)
        except Exception:  # noqa: BLE001  (nobody waits for it; without it tokens are estimated, for good)
            self._loaded.setdefault(name, None)

    def _lock(self, name: str) -> threading.Lock:
        with self._starting:
            return self._locks.setdefault(name, threading.Lock())

    def _check_process(self) -> None:
        """Start again in a child process: it has neither the threads of its parent nor what they were about to do."""
        if os.getpid() != self._process:
            self._forget_threads()

    def _forget_threads(self) -> None:
        self._starting = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._threads: set[str] = set()
        self._process = os.getpid()


def read_table(name: str) -> bytes:
    """Read a table, as tiktoken writes it: a token in base64 and its rank on each line.

    Raises:
        OSError: the file is missing.
        ValueError: it is not the table that OpenAI published.
    """
    import gzip
    from hashlib import sha256
    from importlib.resources import files

    packed = files("aigw.metering").joinpath("data", f"{name}.tiktoken.gz").read_bytes()
    table = gzip.decompress(packed)
    if sha256(table).hexdigest() != FACTS[name].sha256:
        raise ValueError(f"the table of {name} is not the one that OpenAI published: install aigw again")
    return table


def entries(name: str) -> Iterator[tuple[bytes, int]]:
    """Read the tokens of an encoding and their ranks. Raises what `read_table` raises."""
    from binascii import a2b_base64
    from io import BytesIO

    for line in BytesIO(read_table(name)):  # a list of all lines is made in a step that lets nobody else run
        token, _, rank = line.partition(b" ")
        yield a2b_base64(token), int(rank)


def build(name: str) -> tiktoken.Encoding:
    """Build tiktoken's encoding of a table; takes about a quarter of a second. Raises what `read_table` raises."""
    from tiktoken import Encoding

    facts = FACTS[name]
    special = dict(facts.special)
    return Encoding(name, pat_str=facts.pattern, mergeable_ranks=dict(entries(name)), special_tokens=special)


def build_light(name: str) -> LightEncoding:
    """Build a light encoding of a table; takes about as long. Raises what `read_table` raises."""
    from aigw.metering.light import LightEncoding

    return LightEncoding(FACTS[name].pattern, entries(name))


ENCODINGS: Final = Encodings(build)
"""The encodings of this process: they take tens of megabytes, and are the same for every gateway."""

LIGHT: Final = Encodings(build_light, "light-")
"""Those that event loops count by where the others are not loaded."""
