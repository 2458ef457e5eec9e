"""The model behind `aigw.providers.Local`: loaded once into this process by xllamacpp, used by every thread."""

from __future__ import annotations

import importlib
import os
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from aigw.errors import ConfigError, Overloaded, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aigw.ports import Flag

PROMPT_BATCH: Final = 512
"""Tokens of a prompt that are read at one go: a generation can be stopped only between two of these."""

LONGEST_SOCKET_NAME: Final = 100
"""Bytes; systems take between 104 and 108."""


class Server(Protocol):
    """What is used of ``xllamacpp.Server``."""

    def handle_chat_completions(self, request: bytes, receive: Callable[[bytes], bool], /) -> object:
        """Generate, and hand each event to `receive` in the calling thread, until that returns true."""
        ...


class Generation:
    """One answer while it is made: a worker thread puts events down, a reader picks them up.

    Args:
        request: an OpenAI-style request as JSON.
    """

    __slots__ = ("_events", "_flag", "error", "over", "request", "stopped")

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.stopped = False
        """Nobody wants the rest: the worker ends as soon as the model lets it."""
        self.over = False
        """Nothing more will come."""
        self.error: BaseException | None = None
        """What ended it, where that was not the end of the answer. Read it when it is `over`."""
        self._events: deque[bytes] = deque()
        self._flag: Flag | None = None

    def receive(self, event: bytes) -> bool:
        """Take an event from the model; tell it whether to stop."""
        self._events.append(event)
        self._wake()
        return self.stopped

    def finish(self, error: BaseException | None) -> None:
        """Note that nothing more will come."""
        self.error = error
        self.over = True
        self._wake()

    def take(self) -> bytes | None:
        """Return the next event if there is one."""
        return self._events.popleft() if self._events else None

    async def wait(self, flag: Flag, timeout: float | None) -> None:
        """Wait, on a fresh flag, until there is an event or the end.

        The worker adds an event and then looks for a flag; this sets the flag and then looks for an event. So one of
        them sees the other.
        """
        self._flag = flag
        if not self._events and not self.over:
            await flag.wait(timeout)

    def _wake(self) -> None:
        flag = self._flag
        if flag is not None:
            flag.set()


class LocalModel:
    """A GGUF file, loaded when it is first needed.

    Args:
        path: the file.
        context: tokens that one generation may use.
        parallel: generations at once.
        threads: processor threads; ``None`` takes half of the cores.
    """

    def __init__(self, path: Path, *, context: int, parallel: int, threads: int | None) -> None:
        self.closed = False
        self._path = path
        self._context = context
        self._parallel = parallel
        self._threads = threads or max(1, (os.cpu_count() or 1) // 2)
        self._server: Server | None = None
        self._loading = threading.Lock()
        self._starting = threading.Lock()
        self._running: dict[Generation, threading.Thread] = {}

    @property
    def loaded(self) -> bool:
        """Whether it is in memory."""
        return self._server is not None

    def start(self, generation: Generation, when_over: Callable[[], None]) -> None:
        """Generate in a thread of its own; call `when_over` there when it is over, before the reader hears of it.

        Raises:
            ConfigError: the model is closed.
            Overloaded: the system has no more threads.
        """
        worker = threading.Thread(target=self._run, args=(generation, when_over), name="aigw-local", daemon=True)
        with self._starting:
            self.check_open()
            self._running[generation] = worker
            try:
                worker.start()
            except RuntimeError as error:
                del self._running[generation]
                raise Overloaded("no thread can be started to generate in", provider="local") from error

    def check_open(self) -> None:
        """Raise ConfigError if the model is closed."""
        if self.closed:
            raise ConfigError(f"the local model {self._path.name} is closed; make a new aigw.providers.Local")

    def close(self) -> None:
        """Stop what is being generated and free the memory. Closing twice is fine.

        It waits for the threads that are inside xllamacpp: if one were there when the interpreter shuts down, the
        process would abort.
        """
        with self._starting:
            self.closed = True
        running = list(self._running.items())
        for generation, _ in running:
            generation.stopped = True
        for _, worker in running:
            if worker is not threading.current_thread():  # a collector may run this in one of them
                worker.join()
        self._server = None

    def _run(self, generation: Generation, when_over: Callable[[], None]) -> None:
        error: BaseException | None = None
        try:
            self._generate(generation)
        except BaseException as raised:  # noqa: BLE001  (whatever it is, the reader raises it)
            error = raised.with_traceback(None)  # its frames would keep the model alive
        del self._running[generation]
        when_over()
        generation.finish(error)

    def _generate(self, generation: Generation) -> None:
        server = None if generation.stopped else self._load()
        if server is not None and not generation.stopped:  # loading may have taken long
            server.handle_chat_completions(generation.request, generation.receive)

    def _load(self) -> Server:
        with self._loading:
            if self._server is None:
                self._server = load(self._path, self._context, self._parallel, self._threads)
            return self._server


def load(path: Path, context: int, parallel: int, threads: int) -> Server:
    """Load a model with xllamacpp.

    Raises:
        ConfigError: xllamacpp cannot be imported.
        ServerError: it cannot load the file.
    """
    try:
        xllamacpp: Any = importlib.import_module("xllamacpp")
    except ImportError as error:
        raise ConfigError(f'xllamacpp cannot be imported ({error}): pip install "aigw[local]"') from error
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {path.stem}  # otherwise answers name the model by its full path
    params.n_ctx = context * parallel
    params.n_parallel = parallel
    params.n_batch = PROMPT_BATCH
    params.cache_ram_mib = 0  # the default keeps up to 8 GiB of old prompts
    params.verbosity = 0  # otherwise it logs to stderr
    params.endpoint_metrics = True  # see below
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    with _hidden_listener(params):
        try:
            server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise ServerError(
                f"xllamacpp cannot load {path.name}: the file is damaged, of a kind that it does not know, "
                "or too large for the memory",
                provider="local",
            ) from error
    # A server that is freed before its main loop runs hangs for ever. Asking it for something waits for the loop.
    server.handle_metrics()
    loaded: Server = server
    return loaded


@contextmanager
def _hidden_listener(params: Any) -> Iterator[None]:
    """Let nobody reach the HTTP listener that xllamacpp opens and offers no way to switch off.

    Where there are Unix sockets it gets one in a private folder that is removed as soon as it listens: nobody can
    connect to a socket without a name. Elsewhere it is on loopback, behind a key that nobody knows.
    """
    import secrets  # only for those who load a model
    import tempfile

    params.n_threads_http = 1
    params.api_keys = [secrets.token_urlsafe(32)]
    with tempfile.TemporaryDirectory(prefix="aigw-") as folder:
        name = os.path.join(folder, "unused.sock")  # noqa: PTH118  (a string is what xllamacpp takes)
        if os.name == "posix" and len(name.encode()) <= LONGEST_SOCKET_NAME:
            params.hostnames = [name]
        yield
