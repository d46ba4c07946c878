import asyncio
import sys


async def sleeper():
    try:
        async with asyncio.timeout(0.1):
            await asyncio.sleep(10)
    except TimeoutError:
        pass


async def main(count):
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(sleeper())


asyncio.run(main(int(sys.argv[1])))
