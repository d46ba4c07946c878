import asyncio
import sys


async def main(count):
    for _ in range(count):
        async with asyncio.timeout(10):
            await asyncio.sleep(0)


asyncio.run(main(int(sys.argv[1])))
