"""grpcio calls us: connections, interceptors and asyncio."""

import asyncio
import collections
import socket
import threading
import time
import unittest

import grpc
from target import ADDRESS, credentials, every_kind, greeter, open_channel, request_of, service
from hello_world_pb2 import HelloRequest


class Connections(unittest.TestCase):
    def test_keepalive(self):
        """pings the server, with calls and without"""
        options = [
            ("grpc.keepalive_time_ms", 50),
            ("grpc.keepalive_timeout_ms", 2000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
        ]
        with open_channel(options=options) as channel:
            self.assertEqual(service(channel).Unary(request_of("first", wait_ms=500)).text, "first")
            time.sleep(0.5)
            self.assertEqual(service(channel).Unary(request_of("second")).text, "second")

    def test_wait_for_ready(self):
        """waits for a server that is not there yet"""
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            port = reserved.getsockname()[1]
        options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.ssl_target_name_override", "localhost")]
        with open_channel(f"127.0.0.1:{port}", options=options) as channel:
            waiting = greeter(channel).SayHello.future(HelloRequest(name="you"), wait_for_ready=True, timeout=10)
            time.sleep(0.2)
            with socket.create_server(("127.0.0.1", port)) as listener:
                threading.Thread(target=forward_one, args=(listener,), daemon=True).start()
                self.assertEqual(waiting.result().message, "Hello, you!")

    def test_ready(self):
        """is told when a channel is ready"""
        with open_channel() as channel:
            grpc.channel_ready_future(channel).result(timeout=5)

    def test_interceptor(self):
        """adds metadata in an interceptor, to every kind of method"""
        with open_channel() as channel:
            stub = service(grpc.intercept_channel(channel, EchoInterceptor()))
            for name, call in every_kind(stub, request_of(count=1)):
                with self.subTest(name):
                    call.replies()
                    self.assertEqual(call.header()["x-echo"], "added")


class Asyncio(unittest.IsolatedAsyncioTestCase):
    async def test_calls(self):
        """calls every kind of method with asyncio"""
        async with open_aio_channel() as channel:
            stub = service(channel)
            self.assertEqual((await stub.Unary(request_of("a"))).text, "a")
            self.assertEqual([reply.index async for reply in stub.ServerStream(request_of(count=3))], [0, 1, 2])
            self.assertEqual((await stub.ClientStream([request_of("a"), request_of("b")])).text, "a,b")
            talk = stub.BidiStream()
            for text in ("a", "b"):
                await talk.write(request_of(text))
                self.assertEqual((await talk.read()).text, text)
            await talk.done_writing()
            self.assertEqual((await talk.read(), await talk.code()), (grpc.aio.EOF, grpc.StatusCode.OK))

    async def test_cancel(self):
        """cancels a call with asyncio"""
        async with open_aio_channel() as channel:
            call = service(channel).Unary(request_of(wait_ms=10_000))
            asyncio.get_running_loop().call_later(0.1, call.cancel)
            with self.assertRaises(asyncio.CancelledError):
                await call


def open_aio_channel():
    secret = credentials()
    return grpc.aio.insecure_channel(ADDRESS) if secret is None else grpc.aio.secure_channel(ADDRESS, secret)


class EchoInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    def intercept_unary_unary(self, proceed, details, request):
        return proceed(with_echo(details), request)

    intercept_unary_stream = intercept_stream_unary = intercept_stream_stream = intercept_unary_unary


Details = collections.namedtuple("Details", ("method", "timeout", "metadata", "credentials", "wait_for_ready"))


class CallDetails(Details, grpc.ClientCallDetails):
    pass


def with_echo(details):
    metadata = [*(details.metadata or []), ("x-echo", "added")]
    return CallDetails(details.method, details.timeout, metadata, details.credentials, details.wait_for_ready)


def forward_one(listener):
    """Hands the bytes of one connection on to the server, and back."""
    near, _ = listener.accept()
    host, port = ADDRESS.rsplit(":", 1)
    far = socket.create_connection((host, int(port)))
    threading.Thread(target=pump, args=(near, far), daemon=True).start()
    pump(far, near)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # The other side has gone, and the test with it.
