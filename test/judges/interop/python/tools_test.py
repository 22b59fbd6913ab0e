"""grpcio's own clients of health and reflection call us."""

import json
import unittest

import grpc
from calls_test import Case
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from target import open_channel, request_of, service, unary

Status = health_pb2.HealthCheckResponse


class Health(Case):
    def setUp(self):
        super().setUp()
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def set(self, name, status):
        self.stub.Unary(request_of(), metadata=[("x-health", f"{name}={status}")])

    def test_check(self):
        """asks for health, of the server, of a service and of a stranger"""
        for name in ("", "hello_world.Greeter"):
            self.assertEqual(self.health.Check(health_pb2.HealthCheckRequest(service=name)).status, Status.SERVING)
        call = unary(self.health.Check, health_pb2.HealthCheckRequest(service="?"))
        self.assertEqual(call.error().code(), grpc.StatusCode.NOT_FOUND)

    def test_list(self):
        """lists the health of everything"""
        statuses = self.health.List(health_pb2.HealthListRequest()).statuses
        self.assertEqual(statuses["hello_world.Greeter"].status, Status.SERVING)
        self.assertIn("", statuses)

    def test_watch(self):
        """watches health, and is told of each change"""
        changes = self.health.Watch(health_pb2.HealthCheckRequest(service="watched"), timeout=10)
        self.assertEqual(next(changes).status, Status.SERVICE_UNKNOWN)
        for name, status in (("SERVING", Status.SERVING), ("NOT_SERVING", Status.NOT_SERVING)):
            self.set("watched", name)
            self.assertEqual(next(changes).status, status)
        changes.cancel()

    def test_balancing(self):
        """calls only while health says SERVING, if it is configured so"""
        config = {"healthCheckConfig": {"serviceName": "balanced"}, "loadBalancingConfig": [{"round_robin": {}}]}
        self.set("balanced", "NOT_SERVING")
        with open_channel(options=[("grpc.service_config", json.dumps(config))]) as channel:
            call = unary(service(channel).Unary, request_of("healthy"))
            self.assertEqual(call.error().code(), grpc.StatusCode.UNAVAILABLE)
            waiting = service(channel).Unary.future(request_of("healthy"), wait_for_ready=True, timeout=10)
            self.set("balanced", "SERVING")
            self.assertEqual(waiting.result().text, "healthy")


class Reflection(Case):
    def setUp(self):
        super().setUp()
        self.database = ProtoReflectionDescriptorDatabase(self.channel)

    def test_services(self):
        """lists the services"""
        self.assertEqual(
            sorted(self.database.get_services()),
            [
                "grpc.health.v1.Health",
                "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection",
                "hello_world.Greeter",
                "manywire.test.v1.TestService",
            ],
        )

    def test_files(self):
        """finds a file by its name and by a symbol in it"""
        self.assertEqual(self.database.FindFileByName("google/api/http.proto").package, "google.api")
        for symbol in ("hello_world.Greeter", "hello_world.Greeter.SayHello", "hello_world.HelloReply"):
            self.assertEqual(self.database.FindFileContainingSymbol(symbol).name, "hello_world.proto")
        for find, stranger in (
            (self.database.FindFileByName, "no/such.proto"),
            (self.database.FindFileContainingSymbol, "no.Such"),
        ):
            with self.assertRaises(KeyError):
                find(stranger)

    def test_extensions(self):
        """finds the extensions of a message, and the file of an extension"""
        extended, number = "google.protobuf.MethodOptions", 72295728
        self.assertEqual(list(self.database.FindAllExtensionNumbers(extended)), [number])
        # The database does not ask for this one, https://github.com/protocolbuffers/protobuf has it as a TODO.
        ask = reflection_pb2_grpc.ServerReflectionStub(self.channel).ServerReflectionInfo
        extension = reflection_pb2.ExtensionRequest(containing_type=extended, extension_number=number)
        (answer,) = ask(iter([reflection_pb2.ServerReflectionRequest(file_containing_extension=extension)]))
        files = [FileDescriptorProto.FromString(file) for file in answer.file_descriptor_response.file_descriptor_proto]
        self.assertIn("google/api/annotations.proto", [file.name for file in files])

    def test_dynamic_call(self):
        """calls a method that it knows from reflection alone"""
        pool = descriptor_pool.DescriptorPool(self.database)
        method = pool.FindServiceByName("hello_world.Greeter").FindMethodByName("SayHello")
        Request, Reply = (message_factory.GetMessageClass(type) for type in (method.input_type, method.output_type))
        call = self.channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=Request.SerializeToString,
            response_deserializer=Reply.FromString,
        )
        self.assertEqual(call(Request(name="you")).message, "Hello, you!")


del Case
