package main

import (
	"context"
	"net"
	"net/http"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// serveConnect serves by connect-go, which speaks gRPC too, over HTTP/2 in plaintext.
func serveConnect(listener net.Listener, files *protoregistry.Files, services []protoreflect.ServiceDescriptor) error {
	mux := http.NewServeMux()
	names := []string{}
	for _, service := range services {
		names = append(names, string(service.FullName()))
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			path := "/" + string(service.FullName()) + "/" + string(method.Name())
			mux.Handle(path, connect.NewUnaryHandler(path, echo, connect.WithSchema(method), connect.WithRequestInitializer(initialize)))
		}
	}
	reflector := grpcreflect.NewReflector(
		grpcreflect.NamerFunc(func() []string { return names }),
		grpcreflect.WithDescriptorResolver(files),
	)
	mux.Handle(grpcreflect.NewHandlerV1(reflector))
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: mux, Protocols: protocols}
	return server.Serve(listener)
}

func echo(_ context.Context, request *connect.Request[dynamicpb.Message]) (*connect.Response[dynamicpb.Message], error) {
	return connect.NewResponse(request.Msg), nil
}

func initialize(spec connect.Spec, message any) error {
	*message.(*dynamicpb.Message) = *dynamicpb.NewMessage(spec.Schema.(protoreflect.MethodDescriptor).Input())
	return nil
}
