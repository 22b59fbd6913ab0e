"""grpcio calls us: errors, compression and retries."""

import json
import unittest

import grpc
from calls_test import Case
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from manywire.test.v1.test_pb2 import Failure
from target import Call, every_kind, open_channel, request_of, service, unary


class Errors(Case):
    def test_codes(self):
        """gets every code with its message, which may hold any character"""
        message = "100 % sûr\nor 🙈"
        for code in list(grpc.StatusCode)[1:]:
            with self.subTest(code.name):
                request = request_of(failure=Failure(code=code.value[0], message=message))
                error = unary(self.stub.Unary, request).error()
                self.assertEqual((error.code(), error.details()), (code, message))

    def test_details(self):
        """gets the details and the metadata of an error"""
        request = request_of(count=1, failure=Failure(code=9, message="no", reason="CLOSED"))
        for name, call in every_kind(self.stub, request, metadata=[("x-fail-hint", "later")]):
            with self.subTest(name):
                error = call.error()
                status = rpc_status.from_call(error)
                self.assertEqual((status.code, status.message, len(status.details)), (9, "no", 1))
                info = ErrorInfo()
                self.assertTrue(status.details[0].Unpack(info))
                self.assertEqual(info, ErrorInfo(reason="CLOSED", domain="manywire.test"))
                self.assertEqual(call.trailer()["hint"], "later")

    def test_in_a_stream(self):
        """gets the replies that came before an error"""
        replies = self.stub.ServerStream(request_of(count=5, failure=Failure(code=10, message="half", after=2)))
        self.assertEqual([next(replies).index, next(replies).index], [0, 1])
        error = Call(replies, True).error()
        self.assertEqual((error.code(), error.details()), (grpc.StatusCode.ABORTED, "half"))

    def test_accident(self):
        """learns no secret from an accident in a handler"""
        for name, call in every_kind(self.stub, request_of(count=1, failure=Failure(message="secret"))):
            with self.subTest(name):
                error = call.error()
                self.assertIn(error.code(), (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN))
                self.assertNotIn("secret", f"{error.details()} {error.trailing_metadata()}")

    def test_unimplemented(self):
        """is told UNIMPLEMENTED for what nobody serves"""
        unserved = ["manywire.test.v1.TestService/Missing", "manywire.test.v1.TestService/Nothing", "no.Such/Service"]
        for name in unserved:
            with self.subTest(name):
                call = unary(self.channel.unary_unary(f"/{name}"), b"")
                self.assertEqual(call.error().code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_garbage(self):
        """is told an error for bytes that are no message"""
        call = unary(self.channel.unary_unary("/manywire.test.v1.TestService/Unary"), b"\xff\xff\xff")
        self.assertIn(call.error().code(), (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT))


class Compression(Case):
    def test_gzip(self):
        """compresses with gzip, for a channel or for a call"""
        request = request_of("a" * 100_000, count=1)
        with open_channel(compression=grpc.Compression.Gzip) as channel:
            for name, call in every_kind(service(channel), request):
                with self.subTest(name):
                    self.assertEqual(len(call.replies()[0].text), 100_000)
        for name, call in every_kind(self.stub, request, compression=grpc.Compression.Gzip):
            with self.subTest(name):
                self.assertEqual(len(call.replies()[0].text), 100_000)

    def test_deflate(self):
        """is told which compressions there are, if it uses another one"""
        with open_channel(compression=grpc.Compression.Deflate) as channel:
            for name, call in every_kind(service(channel), request_of(data=bytes(1000))):
                with self.subTest(name):
                    error = call.error()
                    self.assertEqual(error.code(), grpc.StatusCode.UNIMPLEMENTED)
                    self.assertIn("gzip", error.details())


class Retries(unittest.TestCase):
    def test_unavailable(self):
        """tries again what the server says that it is unavailable for"""
        policy = {
            "maxAttempts": 4,
            "initialBackoff": "0.01s",
            "maxBackoff": "0.01s",
            "backoffMultiplier": 1,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        config = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
        with open_channel(options=[("grpc.service_config", json.dumps(config))]) as channel:
            calls = every_kind(service(channel), request_of("third", count=1), metadata=[("x-attempts", "2")])
            for name, call in calls:
                with self.subTest(name):
                    self.assertEqual([reply.text for reply in call.replies()], ["third"])
