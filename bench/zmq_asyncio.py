"""The echo by way of a poller on asyncio, as the Python package has it.

python3 zmq_asyncio.py ADDRESS

Each socket is polled by pyzmq's asyncio Poller; for each that is readable a
callback is started as a task, which receives, answers, and ends.
"""

import asyncio
import sys

import zmq
import zmq.asyncio


async def main(address):
    context = zmq.asyncio.Context()
    router = context.socket(zmq.ROUTER)
    router.bind(address)
    poller = zmq.asyncio.Poller()
    poller.register(router, zmq.POLLIN)
    running = True

    async def answer():
        nonlocal running
        message = await router.recv_multipart()
        await router.send_multipart(message)
        running = message[1] != b""

    while running:
        events = await poller.poll()
        await asyncio.gather(*(asyncio.create_task(answer()) for _ in events))
    router.close(1000)
    context.term()


asyncio.run(main(sys.argv[1]))
