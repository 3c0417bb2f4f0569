"""Work spread over processes, with results in the order of the work."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")

_CHUNK = 16
"""Items that a process is given at a time, at most: there are fewer towards the end, so that all are done at once."""

_WORTH_A_PROCESS = 16
"""Items below which starting one more process costs more than it saves."""


def processes_for(items: int, wanted: int) -> int:
    """How many processes to use: as many as wanted, or, for 0, as many as there are cores and they pay off."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(wanted, max(items, 1)) if wanted else max(1, min(cores, items // _WORTH_A_PROCESS))


def spread(
    make: Callable[[], Callable[[Item], Result]],
    items: Sequence[Item],
    processes: int,
    lost: Callable[[Item], Result],
) -> Generator[Result, None, None]:
    """Do the work that `make` makes in each process; `lost` stands in for an item whose process died of it.

    Whatever ends this, an interruption included, ends the processes.
    """
    if processes <= 1:
        yield from map(make(), items)
        return
    crew = Crew(make, items, processes, lost)
    try:
        yield from crew.results()
    finally:
        crew.end()


class Crew(Generic[Item, Result]):
    """Processes that work through items: who has which, and what has come of them so far."""

    def __init__(
        self,
        make: Callable[[], Callable[[Item], Result]],
        items: Sequence[Item],
        processes: int,
        lost: Callable[[Item], Result],
    ) -> None:
        self._make, self._items, self._lost = make, items, lost
        self._waiting = deque(range(len(items)))
        self._done: dict[int, Result] = {}
        self._hands = [Hand[Item, Result](make) for _ in range(processes)]

    def results(self) -> Iterator[Result]:
        """What came of each item, in their order."""
        for number in range(len(self._items)):
            while number not in self._done:
                self._exchange()
            yield self._done.pop(number)

    def end(self) -> None:
        """Kill all processes."""
        for hand in self._hands:
            hand.end()

    def _exchange(self) -> None:
        """Give those who are idle something to do, and take what others have done."""
        for hand in self._hands:
            if not hand.has and self._waiting:
                share = max(1, min(_CHUNK, len(self._waiting) // (2 * len(self._hands))))
                hand.has.extend(self._waiting.popleft() for _ in range(share))
                hand.give([self._items[number] for number in hand.has])
        from multiprocessing.connection import wait

        ready = wait([hand.connection for hand in self._hands if hand.has])
        for hand in [hand for hand in self._hands if hand.connection in ready]:
            self._take(hand)

    def _take(self, hand: Hand[Item, Result]) -> None:
        try:
            result = hand.connection.recv()
        except (EOFError, OSError):
            self._replace(hand)
            return
        self._done[hand.has.popleft()] = result

    def _replace(self, hand: Hand[Item, Result]) -> None:
        """Someone died over the first item that they had: the others are for their successor."""
        number = hand.has.popleft()
        self._done[number] = self._lost(self._items[number])
        self._waiting.extendleft(reversed(hand.has))
        hand.end()
        self._hands[self._hands.index(hand)] = Hand(self._make)


class Hand(Generic[Item, Result]):
    """One process, and the numbers of the items that it has."""

    def __init__(self, make: Callable[[], Callable[[Item], Result]]) -> None:
        import multiprocessing

        self.has: deque[int] = deque()
        self.connection, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(make, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, items: Sequence[Item]) -> None:
        """Hand over items; that the process has died is noticed when its results are taken."""
        try:
            self.connection.send(items)
        except OSError:
            pass

    def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(make: Callable[[], Callable[[Item], Result]], connection: Connection) -> None:
    """What a process does: an interruption is the business of the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work = make()
    while True:
        try:
            items = connection.recv()
        except EOFError:
            return
        for item in items:
            connection.send(work(item))
