"""The peer of spec/zmq/zmq_curve_spec.lua, in pyzmq.

zmq_curve_peer.py client ADDRESS null|plain|curve [CREDENTIALS...]
    pushes a message, and prints "in" or "out": whether the handshake succeeded
zmq_curve_peer.py server ADDRESS curve PUBLIC SECRET ALLOWED
zmq_curve_peer.py server ADDRESS plain USER PASSWORD
    pulls until a message has come and a peer was denied; prints the messages
"""

import sys

import zmq
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

FAILED = (
    zmq.EVENT_DISCONNECTED,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
    zmq.EVENT_HANDSHAKE_FAILED_AUTH,
)

context = zmq.Context()


def client(address, mechanism, *credentials):
    socket = context.socket(zmq.PUSH)
    socket.linger = 8000
    words = [word.encode() for word in credentials]
    if mechanism == "plain":
        socket.plain_username, socket.plain_password = words
    elif mechanism == "curve":
        socket.curve_serverkey, socket.curve_publickey = words[:2]
        socket.curve_secretkey = words[2]
    monitor = socket.get_monitor_socket()
    monitor.rcvtimeo = 60000
    socket.connect(address)
    outcome = None
    while not outcome:
        event = recv_monitor_message(monitor)["event"]
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            outcome = "in"
        elif event in FAILED:
            outcome = "out"
    print(outcome)
    if outcome == "in":
        socket.send(b"hello")
    else:
        socket.linger = 0
    socket.disable_monitor()
    socket.close()


def verdict(request, mechanism, credentials):
    if mechanism == "curve":
        return request[7] == z85.decode(credentials[2])
    return request[7:] == [word.encode() for word in credentials]


def server(address, mechanism, *credentials):
    zap = context.socket(zmq.REP)
    zap.linger = 0
    zap.bind("inproc://zeromq.zap.01")
    socket = context.socket(zmq.PULL)
    socket.zap_domain = b"tests"
    if mechanism == "curve":
        socket.curve_publickey, socket.curve_secretkey = (
            word.encode() for word in credentials[:2]
        )
        socket.curve_server = True
    else:
        socket.plain_server = True
    socket.bind(address)
    poller = zmq.Poller()
    poller.register(zap, zmq.POLLIN)
    poller.register(socket, zmq.POLLIN)
    denied, messages = 0, []
    while not (denied and messages):
        ready = dict(poller.poll(60000))
        if not ready:
            sys.exit("nothing comes")
        if zap in ready:
            request = zap.recv_multipart()
            # version, id, domain, address, identity, mechanism, credentials
            good = verdict([b""] + request, mechanism, credentials)
            denied += not good
            status = b"200" if good else b"400"
            zap.send_multipart([b"1.0", request[1], status, b"", b"", b""])
        if socket in ready:
            messages.append(socket.recv().decode())
    print(" ".join(messages))
    socket.close(linger=0)
    zap.close()


{"client": client, "server": server}[sys.argv[1]](*sys.argv[2:])
context.term()
