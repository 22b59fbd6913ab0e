"""The Greeter of gRPC's tutorial, with reflection or without: prints its port, and serves until its input ends."""

import sys
from concurrent import futures

import grpc
import hello_world_pb2
import hello_world_pb2_grpc
from grpc_reflection.v1alpha import reflection


class Greeter(hello_world_pb2_grpc.GreeterServicer):
    def SayHello(self, request, context):
        if request.name == "":
            context.set_trailing_metadata((("why", "no name"),))
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "name: expected one, found none")
        return hello_world_pb2.HelloReply(message=f"Hello, {request.name}!")

    def SayHelloAgain(self, request, context):
        return hello_world_pb2.HelloReply(message=f"Hello, {request.name} Again! {context.time_remaining()}")


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
hello_world_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
if sys.argv[1:] == ["--reflection"]:
    names = [hello_world_pb2.DESCRIPTOR.services_by_name["Greeter"].full_name, reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
server.stop(None)
