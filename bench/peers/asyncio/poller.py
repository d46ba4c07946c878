"""poller.py N ACTIVE/ALL: N datagrams, in rounds of ACTIVE, on some of ALL
sockets that are watched, after a first round of all and one of ACTIVE. Each
socket is connected to itself."""

import asyncio
import socket
import sys

active, all_sockets = map(int, sys.argv[2].split("/"))
left = active + int(sys.argv[1])
awaited = 0
sockets = []


def send(count):
    global awaited
    awaited = count
    for i in range(count):
        sockets[i].send(b"x")


def readable(s, done):
    global awaited, left
    s.recv(65536)
    awaited -= 1
    if awaited > 0:
        return
    if left == 0:
        done.set_result(None)
    else:
        count = min(left, active)
        left -= count
        send(count)


async def main():
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    for _ in range(all_sockets):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        s.connect(s.getsockname())
        s.setblocking(False)
        sockets.append(s)
        loop.add_reader(s, readable, s, done)
    send(all_sockets)
    await done


asyncio.run(main())
