import asyncio
import sys


async def send(queue, count):
    for i in range(count):
        await queue.put(i)


async def receive(queue, count):
    for i in range(count):
        assert await queue.get() == i


async def main(count):
    queue = asyncio.Queue(64)
    await asyncio.gather(send(queue, count), receive(queue, count))


asyncio.run(main(int(sys.argv[1])))
