"""tcp_echo.py PORT: sends back what comes."""

import asyncio
import sys


async def serve(reader, writer):
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(
        serve, "127.0.0.1", int(sys.argv[1]), backlog=1024
    )
    async with server:
        await server.serve_forever()


asyncio.run(main())
