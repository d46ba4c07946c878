"""The peer of spec/zmq/zmq_interop_spec.lua, in pyzmq.

zmq_peer.py "server|client ROLE" ADDRESS
"""

import sys
import time

import zmq


def req(s):
    for i in range(3):
        s.send_multipart([str(i).encode(), b"x"])
        print(b" ".join(s.recv_multipart()).decode())


def echo(count):
    def run(s):
        for _ in range(count):
            s.send_multipart(s.recv_multipart())

    return run


def dealer(s):
    for i in range(100):
        s.send_multipart([b"m", str(i).encode()])
    print(sum(1 for i in range(100) if s.recv_multipart()[1] == b"%d" % i))


def push(s):
    for i in range(100):
        s.send_multipart([str(i).encode(), b"p"])


def pull(s):
    print(sum(1 for i in range(1, 101) if s.recv() == b"m%d" % i))


def sub(s):
    print(sum(1 for i in range(1, 11) if s.recv_multipart()[1] == b"m%d" % i))


def xsub(s):
    s.send(b"no subscription")
    s.send(b"\x01a")
    sub(s)


def xpub(s):
    assert s.recv() == b"\x01a"
    for i in range(10):
        s.send_multipart([b"a", str(i).encode()])


def publish(s):
    assert s.recv() == b"\x01a"
    for i in range(1, 11):
        s.send_multipart([b"b", b"not subscribed to"])
        s.send_multipart([b"a", b"m%d" % i])


def pub(s):
    # A PUB cannot see when its subscriber has come.
    ready = s.context.socket(zmq.PULL)
    ready.rcvtimeo = 20000
    ready.bind(sys.argv[2] + ".ready")
    number = 0
    while not ready.poll(10):
        s.send_multipart([b"a", str(number).encode()])
        s.send_multipart([b"b", b"not this"])
        number += 1
    ready.close()


def late_sub(s):
    print(sum(1 for _ in range(3) if s.recv_multipart()[0] == b"a"))


def xsub(s):
    s.send(b"\x01a")
    print(sum(1 for i in range(1, 11) if s.recv_multipart()[1] == b"m%d" % i))
    s.send(b"\x00a")


def delimited(s):
    """A DEALER as the client of a REP."""
    for i in range(3):
        s.send_multipart([b"", str(i).encode(), b"x"])
        print(b" ".join(s.recv_multipart()).decode())


def named_router(s):
    """A ROUTER that talks to the ROUTER named "lua"."""
    for i in range(100):
        while True:
            try:
                s.send_multipart([b"lua", str(i).encode()])
                break
            except zmq.ZMQError as error:
                if error.errno != zmq.EHOSTUNREACH:
                    raise
                time.sleep(0.001)
    print(sum(1 for i in range(100) if s.recv_multipart()[1] == b"%d" % i))


def stream(s):
    """A STREAM that talks to a STREAM: chunks, each behind an id."""
    if side == "client":
        peer = s.recv_multipart()[0]  # connected
        s.send_multipart([peer, b"hello"])
    text = b""
    while not text.endswith(b"hello"):
        peer, chunk = s.recv_multipart()
        text += chunk
    if side == "server":
        s.send_multipart([peer, text])
    print(text.decode())


def services(s):
    """A plain server on a ROUTER, as many write it."""
    for _ in range(3):
        *envelope, body = s.recv_multipart()
        s.send_multipart([*envelope, b"re:" + body])


def many(s):
    """A DEALER with many requests under way."""
    for i in range(200):
        s.send_multipart([str(i).encode(), b"", b"q%d" % i])
    print(sum(1 for _ in range(200) if matches(s.recv_multipart())))


def broker(s):
    """Clients at the address, services at the same with ".back"."""
    back = s.context.socket(zmq.DEALER)
    back.bind(sys.argv[2] + ".back")
    zmq.proxy(s, back)  # until it is killed


def worker(s):
    """A REP that tells what it gets before it replies; "hang" has no reply."""
    while True:
        body = s.recv()
        print(body.decode(), flush=True)
        if body == b"hang":
            time.sleep(100)
        s.send(b"re:" + body)


def matches(parts):
    number, empty, body = parts
    return empty == b"" and body == b"re:q" + number


ROLES = {
    "pub": (zmq.PUB, pub),
    "late sub": (zmq.SUB, late_sub),
    "xsub": (zmq.XSUB, xsub),
    "delimited": (zmq.DEALER, delimited),
    "dealers": (zmq.DEALER, echo(100)),
    "routers": (zmq.ROUTER, named_router),
    "stream": (zmq.STREAM, stream),
    "services": (zmq.ROUTER, services),
    "many": (zmq.DEALER, many),
    "broker": (zmq.ROUTER, broker),
    "worker": (zmq.REP, worker),
    "req": (zmq.REQ, req),
    "rep": (zmq.REP, echo(3)),
    "router": (zmq.ROUTER, echo(100)),
    "router 3": (zmq.ROUTER, echo(3)),
    "dealer": (zmq.DEALER, dealer),
    "push": (zmq.PUSH, push),
    "pull": (zmq.PULL, pull),
    "sub": (zmq.SUB, sub),
    "xsub": (zmq.XSUB, xsub),
    "xpub": (zmq.XPUB, xpub),
    "publish": (zmq.XPUB, publish),
    "pair": (zmq.PAIR, echo(10)),
}

side, role = sys.argv[1].split(" ", 1)
kind, run = ROLES[role]
context = zmq.Context()
socket = context.socket(kind)
socket.linger = 2000
socket.rcvtimeo = socket.sndtimeo = 60000
if role in ("dealer", "routers"):
    socket.identity = b"py"
if role == "routers":
    socket.router_mandatory = True
if role in ("sub", "late sub"):
    socket.subscribe(b"a")
if side == "server":
    socket.bind(sys.argv[2])
    if role == "stream":
        print(socket.last_endpoint.decode(), flush=True)
else:
    socket.connect(sys.argv[2])
run(socket)
socket.close()
context.term()
