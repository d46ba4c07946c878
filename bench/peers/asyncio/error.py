import asyncio
import sys


async def fails():
    raise ValueError("boom")


async def main(count):
    for _ in range(count):
        try:
            await asyncio.create_task(fails())
        except ValueError as error:
            assert error.args


asyncio.run(main(int(sys.argv[1])))
