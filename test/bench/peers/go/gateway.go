package main

import (
	"context"
	"net"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"manywire.test/bench/gen/bench"
	"manywire.test/bench/gen/greeter"
)

// serveGateway serves REST by grpc-gateway, in front of the gRPC server on the port --backend.
func serveGateway(listener net.Listener) error {
	mux := runtime.NewServeMux()
	address := "passthrough:///127.0.0.1:" + *backend
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if err := greeter.RegisterGreeterHandlerFromEndpoint(context.Background(), mux, address, options); err != nil {
		return err
	}
	if err := bench.RegisterBenchServiceHandlerFromEndpoint(context.Background(), mux, address, options); err != nil {
		return err
	}
	return serveHTTP(listener, mux)
}
