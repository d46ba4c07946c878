import asyncio
import sys


async def sleeper():
    await asyncio.sleep(3600)


async def main(count):
    tasks = [asyncio.create_task(sleeper()) for _ in range(count)]
    await asyncio.sleep(0)  # now all of them sleep
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


asyncio.run(main(int(sys.argv[1])))
