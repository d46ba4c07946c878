import asyncio
import sys


async def fails():
    raise ValueError("boom")


async def nothing():
    pass


async def main(count):
    for _ in range(count):
        try:
            await fails()
        except ValueError:
            await nothing()


asyncio.run(main(int(sys.argv[1])))
