"""zmq_pub.py N ADDRESS: publishes N messages to 100 subscribers.

An XPUB sees the subscribers come, and sends as a PUB does. Each subscribes to
"x", which arrives once, and to a topic of its own.
"""

import asyncio
import sys

import zmq
import zmq.asyncio


async def main():
    context = zmq.asyncio.Context()
    pub = context.socket(zmq.XPUB)
    pub.sndhwm = 0
    pub.bind(sys.argv[2])
    for _ in range(101):
        await pub.recv()
    body = b"x".ljust(64, b"\0")
    for _ in range(int(sys.argv[1])):
        await pub.send(body)
    pub.close(linger=30000)
    context.term()


asyncio.run(main())
