"""What waits to leave for one destination, and in which requests: by itself, one person after the other, in batches.

Pure. With `order: person` an invocation waits until the one before it of the same person has been settled. With `batch`
invocations that ask for the same request share one; its invocation, the *carrier*, stands for them until its answer.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from delivery import bodies
from records import Batch, Invocation, Policy, Request

Group = tuple[object, ...]
"""What invocations must have in common to share a request."""


class Departures:
    """The line of one destination."""

    def __init__(self) -> None:
        """Nobody waits."""
        self.limited = False
        """Whether anybody could have left the last time, had the limit not been reached."""
        self._waiting: list[Invocation] = []
        self._partial_since: dict[Group, float] = {}
        """When those began to wait that do not fill a request yet."""
        self._group_of: dict[int, Group] = {}
        """Of those that wait, by their `id()`: to find it out costs more than all else here."""
        self._grouped_by: Batch | None = None
        self._under_way: dict[str, str] = {}
        """Of each person the invocation that is on its way, or waits for a retry."""
        self._carried: dict[str, list[tuple[Invocation, list[Invocation]]]] = {}
        """The carriers on their way, by id, and what each stands for. Two have one id where an event came twice."""

    def __len__(self) -> int:
        """Invocations that wait to leave."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[Invocation]:
        """Those that wait to leave, in their order."""
        return iter(self._waiting)

    def add(self, invocation: Invocation) -> None:
        """Join the end of the line."""
        self._waiting.append(invocation)

    def put_back(self, invocations: Iterable[Invocation]) -> None:
        """Stand in front again."""
        self._waiting = [*invocations, *self._waiting]

    def keep_only(self, invocations: Iterable[Invocation]) -> None:
        """Everybody else leaves the line without being sent."""
        self._waiting = list(invocations)
        self._partial_since.clear()
        self._group_of.clear()

    def take(self, policy: Policy, now: float, limit: float) -> list[Invocation]:
        """What leaves now, in at most so many requests."""
        if policy.batch != self._grouped_by:
            self._grouped_by = policy.batch
            self._group_of.clear()
        if policy.batch is None and not policy.order:
            count = int(min(limit, len(self._waiting)))
            taken, self._waiting = self._waiting[:count], self._waiting[count:]
            self.limited = bool(self._waiting)
            return taken
        self.limited = False
        leaving: list[Invocation] = []
        gone: set[int] = set()
        for group, invocations in self._groups(policy).items():
            for together in self._requests(group, invocations, policy.batch, now):
                if len(leaving) >= limit:
                    self.limited = True
                    break
                leaving.append(self._depart(together, policy))
                gone.update(map(id, together))
                if policy.batch is not None and len(together) < policy.batch.max:
                    self._partial_since.pop(group, None)
        self._waiting = [invocation for invocation in self._waiting if id(invocation) not in gone]
        for one in gone:
            del self._group_of[one]
        return leaving

    def next_at(self, policy: Policy) -> float | None:
        """When a request leaves although there is room for more in it."""
        if policy.batch is None or not self._partial_since:
            return None
        return min(self._partial_since.values()) + policy.batch.wait_ms / 1000

    def arrived(self, invocation: Invocation) -> list[Invocation]:
        """Whom an invocation stood for that has come back, from the endpoint or from the line in front of it."""
        of_id = self._carried.get(invocation.id, [])
        for number, (carrier, _) in enumerate(of_id):
            if carrier is invocation:
                return self._arrived(invocation.id, number)
        return [invocation]

    def carried(self, id: str) -> list[Invocation] | None:
        """As `arrived`, by the id of one that has not left the line in front of the endpoint; None where that is no
        carrier."""
        # Of several the latest: the others were in front of it.
        return self._arrived(id, -1) if id in self._carried else None

    def _arrived(self, id: str, number: int) -> list[Invocation]:
        of_id = self._carried[id]
        _, together = of_id.pop(number)
        if not of_id:
            del self._carried[id]
        return together

    def settled(self, invocation: Invocation) -> None:
        """The next one of the same person may leave."""
        if self._under_way.get(invocation.person) == invocation.id:
            del self._under_way[invocation.person]

    def _groups(self, policy: Policy) -> dict[Group, list[Invocation]]:
        """Who may leave at all, by what they have in common, in order."""
        groups: dict[Group, list[Invocation]] = {}
        seen: set[str] = set()
        for invocation in self._waiting:
            if policy.order:
                first = self._under_way.get(invocation.person)
                if first != invocation.id and (first is not None or invocation.person in seen):
                    continue
                seen.add(invocation.person)
            group = self._group_of.get(id(invocation))
            if group is None:
                group = self._group_of[id(invocation)] = _group(invocation, policy.batch)
            groups.setdefault(group, []).append(invocation)
        for group in set(self._partial_since) - set(groups):
            del self._partial_since[group]
        return groups

    def _requests(
        self, group: Group, invocations: list[Invocation], batch: Batch | None, now: float
    ) -> Iterator[list[Invocation]]:
        if batch is None:
            yield from ([invocation] for invocation in invocations)
            return
        for together, is_full in _fills(invocations, batch):
            # What went out together and failed together goes out together again.
            if (
                is_full
                or together[0].batch
                or not isinstance(together[0].work, Request)
                or now - self._partial_since.setdefault(group, now) >= batch.wait_ms / 1000
            ):
                yield together

    def _depart(self, together: list[Invocation], policy: Policy) -> Invocation:
        if policy.order:
            self._under_way.update((one.person, one.id) for one in together)
        if policy.batch is None or not isinstance(together[0].work, Request):
            return together[0]
        carrier = _carrier(together, policy.batch)
        for one in together:
            one.batch = carrier.id
        self._carried.setdefault(carrier.id, []).append((carrier, together))
        return carrier


def _fills(invocations: Iterable[Invocation], batch: Batch) -> Iterator[tuple[list[Invocation], bool]]:
    """As many as one request takes, and whether it takes no more."""
    together: list[Invocation] = []
    size = 0
    for invocation in invocations:
        own = len(invocation.work.body) if isinstance(invocation.work, Request) else 0
        if together and size + own > batch.max_bytes:
            yield together, True
            together, size = [], 0
        together.append(invocation)
        size += own
        if len(together) == batch.max:
            yield together, True
            together, size = [], 0
    if together:
        yield together, False


def halve(together: Sequence[Invocation]) -> None:
    """Let those that went out together go out in two requests the next time."""
    middle = len(together) // 2
    for number, one in enumerate(together):
        one.batch += "/0" if number < middle else "/1"


def _group(invocation: Invocation, batch: Batch | None) -> Group:
    work = invocation.work
    if batch is None or not isinstance(work, Request):
        return (id(invocation),)
    if invocation.batch:
        return (invocation.batch,)
    shared: Group = ()
    if batch.form == "join":
        envelope = bodies.envelope(work.body, batch.key)
        if envelope is None:
            return (id(invocation),)
        shared = tuple(sorted(envelope.items()))
    return (work.method, work.url, work.aws, *sorted(work.headers.items()), *shared)


def _carrier(together: list[Invocation], batch: Batch) -> Invocation:
    first = together[0]
    assert isinstance(first.work, Request)
    names = "\n".join(one.id for one in together)
    headers = dict(first.work.headers)
    if batch.form == "ndjson":
        for name in [name for name in headers if name.lower() == "content-type"]:
            if headers[name].partition(";")[0].strip().lower() == "application/json":
                headers[name] = "application/x-ndjson"
    body = bodies.put_together([one.work.body for one in together if isinstance(one.work, Request)], batch)
    return msgspec.structs.replace(
        first,
        id=f"msg_{hashlib.sha256(names.encode('utf-8', 'replace')).hexdigest()[:32]}",
        event_name=f"{len(together)} events",
        work=msgspec.structs.replace(first.work, headers=headers, body=body),
        replayed=any(one.replayed for one in together),
    )
