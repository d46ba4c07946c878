"""tls_write.py PORT FOLDER: answers each byte with a MiB: 16 times 64 KiB."""

import asyncio
import ssl
import sys

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[2] + "/cert.pem", sys.argv[2] + "/key.pem")
piece = b"x" * 65536


async def answer(reader, writer):
    while await reader.read(1):
        for _ in range(16):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(
        answer, "127.0.0.1", int(sys.argv[1]), ssl=context
    )
    async with server:
        await server.serve_forever()


asyncio.run(main())
