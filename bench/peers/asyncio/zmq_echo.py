"""zmq_echo.py ADDRESS: a ROUTER that sends back what comes."""

import asyncio
import sys

import zmq
import zmq.asyncio


async def main():
    router = zmq.asyncio.Context().socket(zmq.ROUTER)
    router.bind(sys.argv[1])
    while True:
        identity, body = await router.recv_multipart()
        await router.send_multipart([identity, body])


asyncio.run(main())
