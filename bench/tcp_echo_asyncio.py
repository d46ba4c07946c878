"""An echo server on asyncio's streams, as Python's manual has it.

python3 bench/tcp_echo_asyncio.py [uvloop]   prints its port; serves until killed

asyncio sets TCP_NODELAY itself. With `uvloop`, its loop is used instead of
asyncio's own.
"""

import asyncio
import sys


async def serve(reader, writer):
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if sys.argv[1:] == ["uvloop"]:
    import uvloop

    uvloop.install()
asyncio.run(main())
