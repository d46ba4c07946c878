"""tls_connect.py N PORT FOLDER: connects N times, sends 64 bytes and gets them
back."""

import asyncio
import ssl
import sys

context = ssl.create_default_context(cafile=sys.argv[3] + "/cert.pem")
request = b"x" * 64


async def main():
    for _ in range(int(sys.argv[1])):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(sys.argv[2]), ssl=context
        )
        writer.write(request)
        await reader.readexactly(64)
        writer.close()
        await writer.wait_closed()


asyncio.run(main())
