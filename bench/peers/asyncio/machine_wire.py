"""A state is an object whose method returns the next one. Between two of them,
all others have their turn."""

import asyncio
import sys


class State:
    def __init__(self, left):
        self.left = left

    async def run(self):
        self.left -= 1
        if self.left > 0:
            return self


async def main(count):
    current = State(count) if count > 0 else None
    while current:
        current = await current.run()
        await asyncio.sleep(0)


asyncio.run(main(int(sys.argv[1])))
