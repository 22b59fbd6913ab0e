// Command reflected serves the services of a descriptor set, whose file is its first argument. Methods return their requests.
// The second argument is v1 or v1alpha, for grpc-go with that version of reflection, or connect, for connect-go. It prints its
// address and serves until standard input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	v1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	v1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

func main() {
	bytes, err := os.ReadFile(os.Args[1])
	check(err)
	set := &descriptorpb.FileDescriptorSet{}
	check(proto.Unmarshal(bytes, set))
	files, err := protodesc.NewFiles(set)
	check(err)
	services := []protoreflect.ServiceDescriptor{}
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			services = append(services, file.Services().Get(i))
		}
		return true
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	if os.Args[2] == "connect" {
		go func() { check(serveConnect(listener, files, services)) }()
	} else {
		go func() { check(serveGrpc(listener, files, services, os.Args[2] == "v1")) }()
	}
	fmt.Println(listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}

func serveGrpc(listener net.Listener, files *protoregistry.Files, services []protoreflect.ServiceDescriptor, isV1 bool) error {
	server := grpc.NewServer()
	for _, service := range services {
		register(server, service)
	}
	options := reflection.ServerOptions{Services: server, DescriptorResolver: files}
	if isV1 {
		v1.RegisterServerReflectionServer(server, reflection.NewServerV1(options))
	} else {
		v1alpha.RegisterServerReflectionServer(server, reflection.NewServer(options))
	}
	return server.Serve(listener)
}

func register(server *grpc.Server, service protoreflect.ServiceDescriptor) {
	description := grpc.ServiceDesc{ServiceName: string(service.FullName()), HandlerType: (*any)(nil)}
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		description.Methods = append(description.Methods, grpc.MethodDesc{
			MethodName: string(method.Name()),
			Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				message := dynamicpb.NewMessage(method.Input())
				return message, decode(message)
			},
		})
	}
	server.RegisterService(&description, nil)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
