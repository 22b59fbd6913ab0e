"""grpcio calls us: every kind of method, deadlines, cancellation and metadata."""

import queue
import time
import unittest

import grpc
from hello_world_pb2 import HelloRequest
from manywire.test.v1.test_pb2 import TestReply
from target import Call, every_kind, greeter, open_channel, request_of, service, unary

MiB = 1024 * 1024


class Case(unittest.TestCase):
    def setUp(self):
        self.channel = open_channel()
        self.addCleanup(self.channel.close)
        self.stub = service(self.channel)


class Calls(Case):
    def test_greeter(self):
        """says hello"""
        stub = greeter(self.channel)
        self.assertEqual(stub.SayHello(HelloRequest(name="you")).message, "Hello, you!")
        self.assertEqual(stub.SayHelloAgain(HelloRequest(name="you")).message, "Hello, you Again!")

    def test_unary(self):
        """sends and gets text and bytes, or nothing"""
        data = bytes(range(256)) * 400
        reply = self.stub.Unary(request_of("päth 🙈", data=data))
        self.assertEqual((reply.text, reply.data), ("päth 🙈", data))
        self.assertEqual(self.stub.Get(request_of()), TestReply())

    def test_future(self):
        """is called back when a call is done"""
        done = queue.Queue()
        self.stub.Unary.future(request_of("later")).add_done_callback(done.put)
        self.assertEqual(done.get(timeout=5).result().text, "later")

    def test_streams(self):
        """sends and gets streams"""
        texts = ["a", "b", "ç"]
        replies = self.stub.ServerStream(request_of(count=3))
        self.assertEqual([reply.index for reply in replies], [0, 1, 2])
        joined = self.stub.ClientStream(request_of(text) for text in texts)
        self.assertEqual((joined.text, joined.index), ("a,b,ç", 3))
        echoed = self.stub.BidiStream(request_of(text) for text in texts)
        self.assertEqual([reply.text for reply in echoed], texts)

    def test_empty_streams(self):
        """sends and gets streams of no message"""
        self.assertEqual(list(self.stub.ServerStream(request_of())), [])
        self.assertEqual(self.stub.ClientStream(iter([])), TestReply())
        self.assertEqual(list(self.stub.BidiStream(iter([]))), [])

    def test_conversation(self):
        """waits for each answer of a stream before it asks the next"""
        asked = queue.Queue()
        replies = self.stub.BidiStream(iter(asked.get, None))
        for number in range(20):
            asked.put(request_of(str(number)))
            self.assertEqual(next(replies).text, str(number))
        asked.put(None)
        self.assertEqual(list(replies), [])

    def test_slow_reader(self):
        """gets a long stream whole, when it reads slowly"""
        for index, reply in enumerate(self.stub.ServerStream(request_of(count=300, reply_bytes=64 * 1024))):
            self.assertEqual((reply.index, len(reply.data)), (index, 64 * 1024))
            if index % 50 == 0:
                time.sleep(0.02)
        self.assertEqual(index, 299)

    def test_parallel(self):
        """makes more calls at the same time than the server's limit of streams"""
        calls = [self.stub.Unary.future(request_of(str(number), wait_ms=50)) for number in range(400)]
        self.assertEqual([call.result().text for call in calls], [str(number) for number in range(400)])

    def test_large_reply(self):
        """gets 16 MB, if it wants that much"""
        with open_channel(options=[("grpc.max_receive_message_length", 20 * MiB)]) as channel:
            self.assertEqual(len(service(channel).Unary(request_of(reply_bytes=16_000_000)).data), 16_000_000)

    def test_large_request(self):
        """is refused a message over 4 MiB, and goes on calling"""
        for name, call in every_kind(self.stub, request_of(data=bytes(4 * MiB))):
            with self.subTest(name):
                self.assertEqual(call.error().code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
                self.assertEqual(self.stub.Unary(request_of("next")).text, "next")


class Limits(Case):
    def test_deadline(self):
        """ends a call at its deadline, whether the handler heeds it or not"""
        for ignore_signal in (False, True):
            request = request_of(count=1, wait_ms=1000, ignore_signal=ignore_signal)
            for name, call in every_kind(self.stub, request, timeout=0.1):
                with self.subTest(name, ignore_signal=ignore_signal):
                    self.assertEqual(call.error().code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_deadline_of_the_server(self):
        """is told by the server that a deadline has passed, if only the server knows it"""
        for name, call in every_kind(self.stub, request_of(count=1, wait_ms=1000), metadata=[("grpc-timeout", "80m")]):
            with self.subTest(name):
                self.assertEqual(call.error().code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_deadline_in_a_stream(self):
        """gets the replies that came before the deadline"""
        replies = self.stub.ServerStream(request_of(count=50, wait_ms=60), timeout=0.2)
        self.assertEqual(next(replies).index, 0)
        self.assertEqual(Call(replies, True).error().code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_far_deadline(self):
        """may set a deadline of 30 days"""
        self.assertEqual(self.stub.Unary(request_of("patient", wait_ms=20), timeout=30 * 86400).text, "patient")

    def test_cancel(self):
        """cancels a call, and goes on calling"""
        for name, call in every_kind(self.stub, request_of(count=1, wait_ms=10_000)):
            with self.subTest(name):
                call.started.cancel()
                self.assertEqual(call.error().code(), grpc.StatusCode.CANCELLED)
                self.assertEqual(self.stub.Unary(request_of("next")).text, "next")

    def test_leave(self):
        """leaves a stream before its end"""
        replies = self.stub.ServerStream(request_of(count=1_000_000, reply_bytes=1000))
        self.assertEqual([next(replies).index for _ in range(10)], list(range(10)))
        replies.cancel()
        self.assertEqual(Call(replies, True).error().code(), grpc.StatusCode.CANCELLED)
        self.assertEqual(self.stub.Unary(request_of("next")).text, "next")


class Metadata(Case):
    def test_both_ways(self):
        """sends metadata and gets them back as header and trailer, text and bytes"""
        sent = [
            ("x-echo", "text, with comma"),
            ("x-echo-bin", b"\x00\xff,\n"),
            ("x-echo-trailer", "end"),
            ("x-echo-trailer-bin", b""),
        ]
        for name, call in every_kind(self.stub, request_of(count=1), metadata=sent):
            with self.subTest(name):
                call.replies()
                header, trailer = call.header(), call.trailer()
                self.assertEqual((header["x-echo"], header["x-echo-bin"]), ("text, with comma", b"\x00\xff,\n"))
                self.assertEqual((trailer["x-echo-trailer"], trailer["x-echo-trailer-bin"]), ("end", b""))

    def test_repeated(self):
        """may repeat a key"""
        _, call = self.stub.Unary.with_call(request_of(), metadata=[("x-echo", "a"), ("x-echo", "b")])
        values = [value for key, value in call.initial_metadata() if key == "x-echo"]
        self.assertIn(values, (["a", "b"], ["a, b"]))

    def test_too_many(self):
        """is refused more metadata than the server takes, and goes on calling"""
        call = unary(self.stub.Unary, request_of(), metadata=[("x-large", "a" * 20_000)])
        self.assertIn(call.error().code(), (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL))
        self.assertEqual(self.stub.Unary(request_of("next")).text, "next")

