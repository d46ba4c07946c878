"""A state is a function that returns the next one. Between two of them, all
others have their turn."""

import asyncio
import sys


async def main(count):
    left = count

    async def state():
        nonlocal left
        left -= 1
        if left > 0:
            return state

    current = state if count > 0 else None
    while current:
        current = await current()
        await asyncio.sleep(0)


asyncio.run(main(int(sys.argv[1])))
