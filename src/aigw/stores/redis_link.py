"""`Link`: one connection to a Redis or Valkey server, over which jobs are sent in pipelines. The home of redis-py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from aigw.errors import ConfigError
from aigw.stores.redis_scripts import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.stores.redis_scripts import Script


class Wakes(Protocol):
    """What is told that a job is over: a `aigw.ports.Flag`, as a rule."""

    def set(self) -> None:
        """It has its answer, or will have none. Raises nothing."""
        ...


class Job:
    """A script that is to run.

    Args:
        script: what to run.
        keys: its keys.
        args: its arguments.
        undo: the job that takes it back when nobody knows whether it ran.
    """

    __slots__ = ("answer", "args", "done", "flag", "given_up", "keys", "script", "undo")

    def __init__(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[str | int],
        undo: Job | None = None,
    ) -> None:
        self.script = script
        self.keys = keys
        self.args = args
        self.undo = undo
        self.flag: Wakes | None = None
        """Set when it is over; ``None`` where nobody waits, and it is to be delivered whenever that is possible."""
        self.answer: Any = None
        self.done = False
        self.given_up = False

    @property
    def undoes(self) -> bool:
        """Whether it takes back a reservation that nobody knows the outcome of."""
        return self.args[1] == "void"


class StoreDownError(Exception):
    """The store did not answer, or cannot do its work just now."""


class StoreSilentError(StoreDownError):
    """The store did not answer in time."""


class StoreRefusedError(StoreDownError):
    """The store does not let us in: a wrong password, or a user without the rights."""


_RESENT: Final = 3
"""How often jobs of a batch are sent again because the script was not known, or the slot had moved."""


class Link:
    """A connection that is made when it is needed. Used by one thread.

    Args:
        url: as redis-py takes it.
        timeout: seconds for an answer.
        connect_timeout: seconds for the connection to stand.

    Raises:
        ConfigError: the URL is none, or redis-py is not installed.
    """

    def __init__(self, url: str, timeout: float, connect_timeout: float) -> None:
        try:
            import redis.exceptions
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise ConfigError('RedisLedger needs redis-py: pip install "aigw[redis]"') from error
        self._errors = redis.exceptions
        try:
            self._pool: Any = redis.ConnectionPool.from_url(
                url,
                socket_timeout=timeout,
                socket_connect_timeout=connect_timeout,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                decode_responses=False,
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(
                "url must be like redis://host:6379/0, rediss://host:6379/0 (TLS) or unix:///path/to/socket, "
                f"and the given one is not: {type(error).__name__}"  # its text may quote the password
            ) from None
        self._connection: Any = None

    @property
    def place(self) -> str:
        """Where the server is, without password."""
        known = self._pool.connection_kwargs
        return str(known.get("path") or f"{known.get('host', 'localhost')}:{known.get('port', 6379)}")

    def send(self, jobs: Sequence[Job]) -> None:
        """Run jobs in one round trip, and write down their answers; without jobs, see whether the server is there.

        Raises:
            StoreDownError: it is not; nobody knows which jobs were run.
        """
        failures = self._errors
        try:
            if not jobs:
                self._commands([("PING",)])
            jobs = self._run(jobs, whole=False)
            for _ in range(_RESENT):
                jobs = self._run(jobs, whole=True)
        except (failures.AuthenticationError, failures.NoPermissionError) as error:
            self.close()
            raise StoreRefusedError(f"{self.place} does not let us in: {type(error).__name__}") from None
        except failures.TimeoutError as error:
            self.close()
            raise StoreSilentError(f"{self.place} does not answer") from error
        except (failures.RedisError, OSError) as error:
            self.close()
            raise StoreDownError(f"{self.place}: {type(error).__name__}") from error
        except BaseException:
            self.close()
            raise
        if jobs:
            self.close()
            raise StoreDownError(f"{self.place}: the keys keep moving")

    def close(self) -> None:
        """Close the connection; `send` makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def _run(self, jobs: Sequence[Job], *, whole: bool) -> list[Job]:
        """Run jobs; return those that the server could not run because it does not know their script."""
        if not jobs:
            return []
        answers = self._commands([_command(job, whole=whole) for job in jobs])
        again = []
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, self._errors.NoScriptError):
                again.append(job)
            elif isinstance(answer, self._errors.MovedError):
                again.append(job)
                self._follow(answer)
            elif isinstance(answer, Exception):
                raise answer
            else:
                job.answer = answer
                job.done = True
        return again

    def _commands(self, commands: Sequence[tuple[str | int, ...]]) -> list[Any]:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._pool.make_connection()
            connection.connect()
            self._commands([("SCRIPT", "LOAD", script.text) for script in SCRIPTS])  # later they run in their order
        connection.send_packed_command(connection.pack_commands(commands))
        answers: list[Any] = []
        for _ in commands:
            try:
                answers.append(connection.read_response())
            except self._errors.ResponseError as error:
                answers.append(error)
        return answers

    def _follow(self, moved: Any) -> None:
        """Go to the node of a cluster that has our keys: with one hash tag, all of them."""
        self.close()
        self._pool.connection_kwargs.update(host=moved.host, port=moved.port)


def _command(job: Job, *, whole: bool) -> tuple[str | int, ...]:
    name, script = ("EVAL", job.script.text) if whole else ("EVALSHA", job.script.sha)
    return (name, script, len(job.keys), *job.keys, *job.args)
