"""Serves the services of a descriptor set, with reflection. Methods return their requests. Prints its port, and serves until
its input ends."""

import sys
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection

with open(sys.argv[1], "rb") as file:
    files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
pool = descriptor_pool.DescriptorPool()
for file in files:
    pool.Add(file)
server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
services = {
    f"{file.package}.{service.name}": service.method for file in files for service in file.service
}
for name, methods in services.items():
    handlers = {method.name: grpc.unary_unary_rpc_method_handler(lambda request, _: request) for method in methods}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(name, handlers)])
reflection.enable_server_reflection([*services, reflection.SERVICE_NAME], server, pool=pool)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
server.stop(None)
