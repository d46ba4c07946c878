"""zmq_pull.py N ADDRESS: receives N messages."""

import asyncio
import sys

import zmq
import zmq.asyncio


async def main():
    pull = zmq.asyncio.Context().socket(zmq.PULL)
    pull.bind(sys.argv[2])
    for _ in range(int(sys.argv[1])):
        await pull.recv()
    pull.close()


asyncio.run(main())
