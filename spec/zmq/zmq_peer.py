"""The peer of spec/zmq/zmq_interop_spec.lua, in pyzmq.

zmq_peer.py "server|client ROLE" ADDRESS
"""

import sys

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


def xpub(s):
    assert s.recv() == b"\x01a"
    for i in range(10):
        s.send_multipart([b"a", str(i).encode()])


def publish(s):
    assert s.recv() == b"\x01a"
    for i in range(1, 11):
        s.send_multipart([b"b", b"not subscribed to"])
        s.send_multipart([b"a", b"m%d" % i])


ROLES = {
    "req": (zmq.REQ, req),
    "rep": (zmq.REP, echo(3)),
    "router": (zmq.ROUTER, echo(100)),
    "dealer": (zmq.DEALER, dealer),
    "push": (zmq.PUSH, push),
    "pull": (zmq.PULL, pull),
    "sub": (zmq.SUB, sub),
    "xpub": (zmq.XPUB, xpub),
    "publish": (zmq.XPUB, publish),
    "pair": (zmq.PAIR, echo(10)),
}

side, role = sys.argv[1].split()
kind, run = ROLES[role]
context = zmq.Context()
socket = context.socket(kind)
socket.linger = 2000
socket.rcvtimeo = socket.sndtimeo = 8000
if role == "dealer":
    socket.identity = b"py"
if role == "sub":
    socket.subscribe(b"a")
if side == "server":
    socket.bind(sys.argv[2])
else:
    socket.connect(sys.argv[2])
run(socket)
socket.close()
context.term()
