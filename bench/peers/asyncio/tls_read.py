"""tls_read.py PORT FOLDER: reads what comes and drops it."""

import asyncio
import ssl
import sys

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[2] + "/cert.pem", sys.argv[2] + "/key.pem")


async def drop(reader, writer):
    while await reader.read(65536):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(
        drop, "127.0.0.1", int(sys.argv[1]), ssl=context
    )
    async with server:
        await server.serve_forever()


asyncio.run(main())
