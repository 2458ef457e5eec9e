"""`Guard`: nothing sensitive leaves, nothing forbidden returns."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from aigw.checks import check_choice, seconds, text
from aigw.chunk import Chunk, Usage
from aigw.errors import AnswerBlocked, ConfigError, PromptBlocked
from aigw.guards.conversation import Conversations
from aigw.guards.lanes import Cutting, Holding, Lane, Restoring, Stage, Watching
from aigw.guards.places import ANSWER, PLACES, visit_call
from aigw.guards.rules import Action, Actions, Found, Rule, Where, watches_streams
from aigw.guards.scan import SHORT, SPAN, DetectorFailed, OnFailure, Piece, Scanner
from aigw.guards.seams import meeting, merged, windows
from aigw.guards.vault import VaultFull
from aigw.guards.watched import Objection, Watched
from aigw.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import timedelta

    from aigw.call import Call
    from aigw.guards.injection.spotlight import Method
    from aigw.guards.places import Kind, Place
    from aigw.guards.span import Span
    from aigw.guards.vault import Mode, Vault
    from aigw.policy import Next

ACROSS: Final = ("user", "tool_results")
"""Places whose texts others write: what they send may be cut up on purpose."""

MESSAGE: Final = 4
"""Characters that could be looked through in the time that it takes to find the texts of a message."""

OnBlock = Literal["raise", "refuse"]
When = Literal["before", "during"]
OnStream = Literal["hold", "cut"]


class Guard:
    """Looks through prompts before they leave, and through answers before they return.

    ``Guard(Pii(), Secrets())`` masks what it finds in prompts by tokens such as ``<EMAIL_1_k3f9>``, and puts the values
    back where the answer repeats them. ``Guard(Injection())`` blocks prompts: every
    detector says what suits it, and `where` and `action` say otherwise. Several guards may stand around each other.

    All messages of a conversation are looked at with each call; what was looked at before is remembered by its digest.

    Args:
        *detectors: what to look for: a `Detector` or `StreamDetector` (of `aigw.guards`, or your own), or an
            `Examiner`, which asks somebody else.
        where: the places to look at: ``prompt``, ``everything``, or of these ``system``, ``user``, ``assistant`` (what
            the model said before), ``tool_results``, ``tools`` (their definitions), ``extra`` (fields for the
            provider), ``answer``, ``reasoning``, ``tool_calls`` (the arguments in an answer).
        action: ``mask``, ``block``, ``flag`` (a note in the trace), or a mapping from kinds to these, such as
            ``{"US_SSN": "block", "*": "mask"}``.
        on_failure: what becomes of a call when a detector raises or is too slow: ``block``, or ``allow``.
        on_block: ``raise`` an error, or ``refuse``: answer with the text `refusal` and the finish reason
            ``content_filter``.
        refusal: that text.
        when: look at prompts ``before`` they are sent, or ``during`` the call: then the answer is withheld until the
            prompt has passed, and a prompt that is blocked has been sent. What masks must look before.
        spotlight: mark tool results, so that the model can tell them from its task, and say so in the system prompt:
            ``delimit``, ``mark`` or ``encode``, as `aigw.guards.injection.spotlight` does. Documents that you put into
            messages are for that function.
        stream: for detectors that cannot watch a stream: ``hold`` the answer back to its
            end, or look sentence by sentence and ``cut`` it off.
        mode: what masked values become: see `Vault`.
        restore: put the values back into the answer.
        trusted_tools: tools in the arguments of whose calls values are put back as well. Others get tokens, so that a
            prompt from outside cannot have a value sent somewhere.
        key: secret from which tokens of a conversation are made, at least 16 bytes; where several processes serve a
            conversation, give all the same. By default random, for this object.
        timeout: seconds that a detector may take.
        name: its name in the trace and in errors.
        shadow: look, and write into the trace what would have happened, but change and block nothing.

    Raises:
        ConfigError: an argument makes no sense.
        PromptBlocked: (from a call) the prompt must not leave.
        AnswerBlocked: (from a call, or from reading a stream) the answer must not go on.
    """

    def __init__(
        self,
        *detectors: Any,
        where: Where | Iterable[Where] | None = None,
        action: Actions | None = None,
        on_failure: OnFailure = "block",
        on_block: OnBlock = "raise",
        refusal: str = "I cannot help with that.",
        when: When = "before",
        spotlight: Method | None = None,
        stream: OnStream = "hold",
        mode: Mode | Mapping[str, Mode] = "token",
        restore: bool = True,
        trusted_tools: Iterable[str] = (),
        key: bytes | None = None,
        timeout: float | timedelta = 10.0,
        name: str | None = None,
        shadow: bool = False,
    ) -> None:
        if not detectors:
            raise ConfigError("Guard() looks for nothing: give it detectors, such as aigw.guards.Pii()")
        self.name = text("Guard(name)", "Guard" if name is None else name)
        self.rules = tuple([Rule(detector, where, action) for detector in detectors])
        check_choice("Guard(on_failure)", on_failure, get_args(OnFailure))
        check_choice("Guard(on_block)", on_block, get_args(OnBlock))
        check_choice("Guard(when)", when, get_args(When))
        check_choice("Guard(stream)", stream, get_args(OnStream))
        if when == "during" and any(rule.masks for rule in self.rules):
            raise ConfigError("Guard(when='during'): what masks must look before the prompt is sent")
        if spotlight is not None:
            from aigw.guards.injection.spotlight import Method

            check_choice("Guard(spotlight)", spotlight, get_args(Method))
            if when == "during":
                raise ConfigError("Guard(when='during'): spotlight must change the prompt before it is sent")
        if isinstance(trusted_tools, str):
            raise ConfigError(f"Guard(trusted_tools) must be a list of names, such as [{trusted_tools!r}]")
        self.on_block: OnBlock = on_block
        self.refusal = text("Guard(refusal)", refusal)
        self.when: When = when
        self.spotlight: Method | None = spotlight
        self.stream: OnStream = stream
        self.mode = mode
        self.restore = restore
        self.trusted_tools = frozenset(trusted_tools)
        self.shadow = shadow
        self.outside = {"Cache": "what is kept must not hold what was masked, and what is found there is looked at too"}
        self._conversations = Conversations(mode, key)
        self._scanner = Scanner(
            self.name, self.rules, seconds("Guard(timeout)", timeout), "allow" if shadow else on_failure
        )
        self._of_answers = any(rule.places.intersection(ANSWER) for rule in self.rules)

    def __repr__(self) -> str:
        return f"Guard({'; '.join(map(repr, self.rules))})"

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Look at the prompt, go on, look at the answer."""
        if self.when == "during":
            return await self._beside(call, inner)
        try:
            checked, vault = await self._prompt(call)
        except PromptBlocked as error:
            return self._refused(call, error)
        checked = self._spotlit(call, checked)
        return await self._answer(checked, await inner(checked), vault)

    def _spotlit(self, call: Call, checked: Call) -> Call:
        """Mark what is not trusted in a prompt that has passed; its beginning, as it came, names the conversation."""
        if self.spotlight is None or self.shadow or call.operation != "chat":
            return checked
        from aigw.guards.spotlit import spotlit

        marked, count = spotlit(checked, self.spotlight, self._conversations.mark(call))
        if count:
            call.note(self.name, "spotlit", f"{count} tool results")
        return marked

    async def _beside(self, call: Call, inner: Next) -> Reply:
        """Look at the prompt while the call goes on."""
        branch = call.ports.spawn(lambda: self._prompt(call))
        over = call.ports.flag()
        branch.when_over(over.set)
        try:
            reply = await inner(call)
            await over.wait()
            try:
                branch.result()
            except PromptBlocked as error:
                await reply.close()
                return self._refused(call, error)
        finally:
            branch.cancel()
        return await self._answer(call, reply, None)

    async def _prompt(self, call: Call) -> tuple[Call, Vault | None]:
        """Look at a prompt; return the call as it may leave, and what was masked in it."""
        pieces: list[Piece] = []
        try:
            call = await self._without_seams(call)
        except DetectorFailed as error:
            raise self._failed(error) from error

        def collect(place: Place, text: str, kind: Kind) -> str:
            pieces.append(Piece(place, text, kind))
            return text

        try:
            await self._scanner.beside(call, MESSAGE * len(call.messages), lambda: visit_call(call, collect))
            found = await self._scanner.scan(call, pieces)
            found += await self._across(call, pieces)
        except DetectorFailed as error:
            raise self._failed(error) from error
        return await self._acted(call, found, pieces)

    async def _without_seams(self, call: Call) -> Call:
        """Join the text parts of a message where something that is found crosses from one to the next."""
        for number, first, texts in reversed([*meeting(call)]):
            role = call.messages[number].role
            piece = Piece(PLACES.get(role, "user"), "".join(texts))
            seams = {sum(map(len, texts[:count])) for count in range(1, len(texts))}
            if any(_crosses(found.span, seams) for found in await self._scanner.scan(call, [piece])):
                call = merged(call, number, first, len(texts))
        return call

    async def _across(self, call: Call, pieces: Sequence[Piece]) -> list[Found]:
        """Find what was cut up over several messages or tool results. It can be blocked, but not masked."""
        found: list[Found] = []
        rules = [rule for rule in self.rules if not (rule.only_masks or rule.is_examiner)]
        for place in ACROSS if rules else ():
            here = [piece for piece in pieces if piece.place == place]
            said = [piece.text for piece in here if piece.kind == "text"]
            around = [*windows([piece.text for piece in here])] if len(here) > 1 else []
            if 1 < len(said) < len(here):  # what stands between, such as an image, must not keep them apart
                around += windows(said)
            looked = await self._scanner.scan(call, [Piece(place, text) for text, _ in around], rules)
            found += [one for one in looked if one.action != "mask" and _crosses(one.span, around[one.number][1])]
        return found

    def _failed(self, error: DetectorFailed) -> PromptBlocked:
        return PromptBlocked(f"{self.name}: a detector failed: {error}", policy=self.name)

    async def _acted(self, call: Call, found: Sequence[Found], pieces: Sequence[Piece]) -> tuple[Call, Vault | None]:
        """Block, mask and flag what was found."""
        if not found:
            return call, None
        try:
            finds = await self._scanner.beside(call, SPAN * len(found), lambda: _by_action(found, pieces))
            flagged, blocked, to_mask = (finds[action][1] for action in ("flag", "block", "mask"))
            if flagged:
                call.note(self.name, "flagged", flagged)
            if to_mask and self.shadow:
                call.note(self.name, "would mask", to_mask)
            if blocked:
                if not self.shadow:
                    raise PromptBlocked(f"{self.name} found {blocked}", policy=self.name)
                call.note(self.name, "would block", blocked)
            if not to_mask or self.shadow:
                return call, None
            masked = await self._masked(call, finds["mask"][0], sum([len(piece.text) for piece in pieces]))
        except (VaultFull, DetectorFailed) as error:
            raise PromptBlocked(f"{self.name}: {error}", policy=self.name) from None
        call.note(self.name, "masked", to_mask)
        return masked

    async def _masked(self, call: Call, found: Sequence[Found], length: int) -> tuple[Call, Vault]:
        if length <= SHORT and self._conversations.takes_long(found):
            length = SHORT + 1
        return await self._scanner.beside(call, length, lambda: self._conversations.masked(call, found))

    def _refused(self, call: Call, error: PromptBlocked) -> Reply:
        call.note(self.name, "blocked", str(error))
        if self.on_block == "raise" or call.operation != "chat":
            raise error
        return Reply.replay([Chunk(text=self.refusal, finish_reason="content_filter")])

    async def _answer(self, call: Call, reply: Reply, vault: Vault | None) -> Reply:
        restores = self.restore and vault is not None and len(vault) > 0
        if call.operation != "chat" or not (restores or self._of_answers):
            return reply
        answer = _Answer(self, self._scanner, call, vault if restores else None)
        watched = Reply(Watched(reply, answer), lambda: reply.quota)
        await watched.prime(whole=not call.stream)
        return watched


class _Answer:
    """What a guard does with the answer of one call."""

    def __init__(self, guard: Guard, scanner: Scanner, call: Call, vault: Vault | None) -> None:
        self._guard = guard
        self.scanner = scanner
        self.call = call
        self._vault = vault

    def lane(self, place: Place, tool: str = "", *, is_label: bool = False) -> Lane | None:
        """Make the lane of a text: it is looked at as the model wrote it, then values are put back."""
        stages: list[Stage] = []
        whole: list[Rule] = []
        spot = _Spot(self, place)
        for rule in self._guard.rules:
            if place not in rule.places or (is_label and rule.skips_labels):
                continue
            detector = self._detector(rule, place)
            if watches_streams(detector):
                stages.append(Watching(spot, rule, detector))
            elif detector is not None:
                whole.append(rule)
        cuts = self._guard.stream == "cut" and self.call.stream
        cut = [rule for rule in whole if cuts and not rule.needs_whole]
        if held := [rule for rule in whole if rule not in cut]:
            stages.append(Holding(spot, held))
        if cut:
            stages.append(Cutting(spot, cut))
        if self._vault is not None and (place != "tool_calls" or tool in self._guard.trusted_tools):
            is_json = place == "tool_calls" or (place == "answer" and self.call.schema is not None)
            restorer = self._vault.restorer(json=is_json)
            stages.append(Restoring(spot, restorer.feed, restorer.flush))
        return Lane(stages) if stages else None

    def _detector(self, rule: Rule, place: Place) -> Any:
        try:
            return rule.looks(self.call, place)
        except Exception as error:  # noqa: BLE001  (whatever a detector raises, the user has said what then)
            self.scanner.failed(self.call, rule, error)
            return None

    def judge(self, found: Found, text: str) -> str:
        """Return what stands in the place of a find in the answer."""
        guard, kind = self._guard, found.span.kind
        if guard.shadow and found.action != "flag":
            self.call.note(guard.name, f"would {found.action}", f"{kind} in {found.place}")
        elif found.action == "block":
            raise Objection(f"{kind} in {found.place}")
        elif found.action == "mask":
            self.call.note(guard.name, "masked", f"{kind} in {found.place}")
            return f"[{kind}]"
        else:
            self.call.note(guard.name, "flagged", f"{kind} in {found.place}")
        return text

    def stopped(self, objection: Objection | DetectorFailed, usage: Usage | None) -> Chunk:
        """End an answer that must not go on."""
        guard = self._guard
        found = isinstance(objection, Objection)
        message = f"{guard.name} found {objection}" if found else f"{guard.name}: a detector failed: {objection}"
        self.call.note(guard.name, "blocked", message)
        if guard.on_block == "raise":
            raise AnswerBlocked(message, policy=guard.name, usage=usage) from objection
        return Chunk(text=guard.refusal, finish_reason="content_filter", usage=usage)


class _Spot:
    """One place of an answer, as its stages see it."""

    def __init__(self, answer: _Answer, place: Place) -> None:
        self.call = answer.call
        self.scanner = answer.scanner
        self._answer = answer
        self._place: Place = place

    async def look(self, rule: Rule, text: str) -> Sequence[Found]:
        """Find what a rule wants to find in a text."""
        return await self.scanner.scan(self.call, [Piece(self._place, text)], [rule])

    def judged(self, rule: Rule, text: str, span: Span) -> str:
        """Return what stands in the place of a find."""
        return self._answer.judge(Found(span, rule.action(span.kind), self._place), text)


def _by_action(found: Sequence[Found], pieces: Sequence[Piece]) -> dict[str, tuple[list[Found], str]]:
    """Return what is to be flagged, blocked and masked, and tell it.

    What a provider has signed it wants back as it was; values that it repeats are masked all the same.
    """
    chosen: dict[str, list[Found]] = {action: [] for action in get_args(Action)}
    for one in found:
        if one.action != "mask" or pieces[one.number].kind != "signed":
            chosen[one.action].append(one)
    return {action: (ones, summary(ones)) for action, ones in chosen.items()}


def _crosses(span: Span, seams: Iterable[int]) -> bool:
    return any(span.start < seam < span.end for seam in seams)


def summary(found: Iterable[Found]) -> str:
    """Tell what was found where, and how often; never the values."""
    counts = Counter((finding.span.kind, finding.place) for finding in found)
    return ", ".join(
        f"{kind} in {place}" + (f" ({count} times)" if count > 1 else "") for (kind, place), count in counts.items()
    )
