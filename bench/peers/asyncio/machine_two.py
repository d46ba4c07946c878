"""A state is a function that returns the next one. Between two of them, all
others have their turn."""

import asyncio
import sys


async def main(count):
    left = count

    async def ping():
        nonlocal left
        left -= 1
        if left > 0:
            return pong

    async def pong():
        nonlocal left
        left -= 1
        if left > 0:
            return ping

    current = ping if count > 0 else None
    while current:
        current = await current()
        await asyncio.sleep(0)


asyncio.run(main(int(sys.argv[1])))
