import asyncio
import sys


async def nothing():
    pass


async def main(count):
    for _ in range(count):
        sleep = asyncio.create_task(asyncio.sleep(10))
        ready = asyncio.create_task(nothing())
        done, pending = await asyncio.wait(
            (sleep, ready), return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()


asyncio.run(main(int(sys.argv[1])))
