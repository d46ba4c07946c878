import asyncio
import sys

seed = 1


async def sleeper():
    global seed
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    await asyncio.sleep((500 + seed % 500) / 1000)


async def main(count):
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(sleeper())


asyncio.run(main(int(sys.argv[1])))
