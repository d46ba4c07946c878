"""lines_socket.py N PORT: reads N lines from a connection."""

import asyncio
import sys

left = int(sys.argv[1])


async def main():
    done = asyncio.Event()

    async def read(reader, writer):
        global left
        async for _ in reader:
            left -= 1
            if left < 0:
                break
        writer.close()
        done.set()

    server = await asyncio.start_server(read, "127.0.0.1", int(sys.argv[2]))
    async with server:
        await done.wait()


asyncio.run(main())
