"""zmq_poller.py ADDRESS: the same by a poller.

Each socket is polled by pyzmq's asyncio Poller; for each that is readable a
task is started, which receives, answers, and ends.
"""

import asyncio
import sys

import zmq
import zmq.asyncio


async def answer(router):
    await router.send_multipart(await router.recv_multipart())


async def main():
    router = zmq.asyncio.Context().socket(zmq.ROUTER)
    router.bind(sys.argv[1])
    poller = zmq.asyncio.Poller()
    poller.register(router, zmq.POLLIN)
    while True:
        events = await poller.poll()
        await asyncio.gather(
            *(asyncio.create_task(answer(s)) for s, _ in events)
        )


asyncio.run(main())
