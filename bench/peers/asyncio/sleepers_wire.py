import asyncio
import sys


async def main(count):
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = count

    def expired():
        nonlocal left
        left -= 1
        if left == 0:
            done.set_result(None)

    seed = 1
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        loop.call_later((500 + seed % 500) / 1000, expired)
    if count > 0:
        await done


asyncio.run(main(int(sys.argv[1])))
