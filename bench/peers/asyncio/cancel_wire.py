import asyncio
import sys


def expired():
    raise RuntimeError("not cancelled")


async def main(count):
    loop = asyncio.get_running_loop()
    timers = [loop.call_later(3600, expired) for _ in range(count)]
    await asyncio.sleep(0)
    for timer in timers:
        timer.cancel()


asyncio.run(main(int(sys.argv[1])))
