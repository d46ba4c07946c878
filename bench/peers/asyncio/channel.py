"""A queue that holds one value: asyncio has no rendezvous."""

import asyncio
import sys


async def send(queue, count):
    for i in range(count):
        await queue.put(i)


async def receive(queue, count):
    for i in range(count):
        assert await queue.get() == i


async def main(count):
    queue = asyncio.Queue(1)
    await asyncio.gather(send(queue, count), receive(queue, count))


asyncio.run(main(int(sys.argv[1])))
