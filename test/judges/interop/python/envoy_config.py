"""Reads a configuration of Envoy into the messages that Envoy has for it. A field that these do not have is an error."""

import sys

import yaml
from google.protobuf import json_format

from envoy.config.bootstrap.v3 import bootstrap_pb2

# The messages that `typed_config` may have.
from envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2  # noqa: F401
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2  # noqa: F401
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2  # noqa: F401
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2  # noqa: F401

with open(sys.argv[1]) as file:
    bootstrap = json_format.ParseDict(yaml.safe_load(file), bootstrap_pb2.Bootstrap())
print(json_format.MessageToJson(bootstrap))
