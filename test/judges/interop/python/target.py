"""The server to call, as the environment names it, and the short ways to call it."""

import os

import grpc
import hello_world_pb2_grpc
from manywire.test.v1 import test_pb2_grpc
from manywire.test.v1.test_pb2 import TestRequest

ADDRESS = os.environ.get("TARGET_ADDRESS", "")


def _read(variable):
    path = os.environ.get(variable)
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


def credentials():
    """None for plaintext."""
    authority = _read("TARGET_CA")
    if authority is None:
        return None
    return grpc.ssl_channel_credentials(authority, _read("TARGET_KEY"), _read("TARGET_CERT"))


def open_channel(address=None, **arguments):
    """A channel of its own connection: by default, channels of one address share them."""
    address = address or ADDRESS
    options = [("grpc.use_local_subchannel_pool", 1), *arguments.pop("options", [])]
    secret = credentials()
    if secret is None:
        return grpc.insecure_channel(address, options=options, **arguments)
    return grpc.secure_channel(address, secret, options=options, **arguments)


def greeter(channel):
    return hello_world_pb2_grpc.GreeterStub(channel)


def service(channel):
    return test_pb2_grpc.TestServiceStub(channel)


class Call:
    """A call that has been started, and what comes of it, whatever its kind."""

    def __init__(self, started, is_stream):
        self.started = started
        self._is_stream = is_stream

    def replies(self):
        return list(self.started) if self._is_stream else [self.started.result()]

    def error(self):
        """The error that the call ends with; None if it succeeds."""
        try:
            self.replies()
        except grpc.RpcError as error:
            return error
        except grpc.FutureCancelledError:
            return self.started
        return None

    def header(self):
        return dict(self.started.initial_metadata())

    def trailer(self):
        return dict(self.started.trailing_metadata())


def every_kind(stub, request, **arguments):
    """One call of each kind of method, with the same request: pairs of its name and the call."""
    yield "Unary", Call(stub.Unary.future(request, **arguments), False)
    yield "ServerStream", Call(stub.ServerStream(request, **arguments), True)
    yield "ClientStream", Call(stub.ClientStream.future(iter([request]), **arguments), False)
    yield "BidiStream", Call(stub.BidiStream(iter([request]), **arguments), True)


def unary(method, request, **arguments):
    return Call(method.future(request, **arguments), False)


def request_of(text="", **fields):
    return TestRequest(text=text, **fields)
