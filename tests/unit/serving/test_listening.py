"""What a new connection meets when the server is about to end (Linux; over loopback a connection is made at once)."""

import socket
import sys

import pytest

from modelwright.serving.http.listening import take_no_more

ESTABLISHED, SYN_SENT = 1, 2


def state(connection):
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def connecting(port):
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", port))
    return connection


@pytest.mark.skipif(sys.platform != "linux", reason="socket filters are Linux's")
def test_no_connection_is_made_any_more_and_those_that_are_made_are_accepted():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with connecting(port) as before:
            take_no_more(listener)
            with connecting(port) as after:
                assert (state(before), state(after)) == (ESTABLISHED, SYN_SENT)
                before.sendall(b"asked")
                accepted, _ = listener.accept()
                with accepted:
                    assert accepted.recv(5) == b"asked"
                    accepted.sendall(b"answered")
                before.setblocking(True)
                assert before.recv(8) == b"answered"
