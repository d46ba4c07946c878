"""lines.py N: reads N lines from the standard output of a program."""

import asyncio
import sys
from asyncio.subprocess import PIPE

left = int(sys.argv[1])


async def main():
    global left
    child = await asyncio.create_subprocess_exec("yes", "x" * 50, stdout=PIPE)
    async for _ in child.stdout:
        left -= 1
        if left < 0:
            break
    child.kill()
    await child.communicate()


asyncio.run(main())
