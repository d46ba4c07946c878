"""zmq_echo_multipart.py ADDRESS: the same, for any number of parts."""

import asyncio
import sys

import zmq
import zmq.asyncio


async def main():
    router = zmq.asyncio.Context().socket(zmq.ROUTER)
    router.bind(sys.argv[1])
    while True:
        await router.send_multipart(await router.recv_multipart())


asyncio.run(main())
