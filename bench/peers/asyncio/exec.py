"""exec.py N AT_ONCE: runs a program N times."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

left, at_once = int(sys.argv[1]), int(sys.argv[2])


async def work():
    global left
    while left > 0:
        left -= 1
        process = await asyncio.create_subprocess_exec(
            "/bin/true", stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
        await process.communicate()


async def main():
    await asyncio.gather(*(work() for _ in range(at_once)))


asyncio.run(main())
