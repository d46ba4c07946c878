"""tls_echo.py PORT FOLDER: sends back what comes."""

import asyncio
import ssl
import sys

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[2] + "/cert.pem", sys.argv[2] + "/key.pem")


async def serve(reader, writer):
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(
        serve, "127.0.0.1", int(sys.argv[1]), backlog=1024, ssl=context
    )
    async with server:
        await server.serve_forever()


asyncio.run(main())
