import asyncio
import sys


async def main(count):
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = count

    def call():
        nonlocal left
        left -= 1
        if left > 0:
            loop.call_soon(call)
        else:
            done.set_result(None)

    if count > 0:
        loop.call_soon(call)
        await done


asyncio.run(main(int(sys.argv[1])))
