"""Who computes next on a loop that has sockets to look after. The time that is used is told, not measured."""

import asyncio

from connectors.turns import BREATH_S, Turns


def test_whoever_comes_while_there_is_time_computes_at_once_and_the_others_one_by_one() -> None:
    order: list[str] = []

    async def compute(turns: Turns, name: str, used_s: float) -> None:
        await turns.take()
        order.append(name)
        turns.end(used_s)

    async def main() -> None:
        turns = Turns(asyncio.get_running_loop())
        work = [compute(turns, "greedy", BREATH_S), compute(turns, "second", 0.0), compute(turns, "third", 0.0)]
        tasks = [asyncio.ensure_future(one) for one in work]
        await asyncio.sleep(0)
        order.append("sockets")
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert order == ["greedy", "sockets", "second", "third"]


def test_a_turn_that_nobody_takes_any_more_is_passed_on() -> None:
    async def main() -> bool:
        turns = Turns(asyncio.get_running_loop())
        await turns.take()
        gone, waiting = (asyncio.ensure_future(turns.take()) for _ in range(2))
        turns.end(BREATH_S)
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait_for(waiting, 5)
        turns.end(0.0)
        return gone.cancelled()

    assert asyncio.run(main())
