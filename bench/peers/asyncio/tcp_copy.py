"""tcp_copy.py N PORT: copies N megabytes from one connection to the next."""

import asyncio
import sys


async def main():
    connections = asyncio.Queue()

    async def arrived(*connection):
        await connections.put(connection)

    server = await asyncio.start_server(arrived, "127.0.0.1", int(sys.argv[2]))
    async with server:
        reader, other = await connections.get()
        _, writer = await connections.get()
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()
        other.close()


asyncio.run(main())
