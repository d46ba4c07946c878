import asyncio
import sys


async def yields(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def main(count):
    async with asyncio.TaskGroup() as group:
        group.create_task(yields(count // 2))
        group.create_task(yields(count // 2))


asyncio.run(main(int(sys.argv[1])))
