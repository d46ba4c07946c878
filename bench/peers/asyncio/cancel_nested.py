"""Each task waits for the one in its group; a cancel of the first ends all."""

import asyncio
import sys


async def nest(depth, asleep):
    if depth == 0:
        asleep.set()
        await asyncio.sleep(3600)
        return
    async with asyncio.TaskGroup() as group:
        group.create_task(nest(depth - 1, asleep))


async def main(depth):
    asleep = asyncio.Event()
    task = asyncio.create_task(nest(depth, asleep))
    await asleep.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


asyncio.run(main(int(sys.argv[1])))
