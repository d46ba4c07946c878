import asyncio
import sys


async def main(count):
    for _ in range(count):
        await asyncio.sleep(0)


asyncio.run(main(int(sys.argv[1])))
