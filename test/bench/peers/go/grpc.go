package main

import (
	"context"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"manywire.test/bench/gen/bench"
	"manywire.test/bench/gen/greeter"
)

// serveGrpc serves by grpc-go.
func serveGrpc(listener net.Listener) error {
	options := []grpc.ServerOption{}
	if *certFile != "" {
		security, err := credentials.NewServerTLSFromFile(*certFile, *keyFile)
		if err != nil {
			return err
		}
		options = append(options, grpc.Creds(security))
	}
	if *hasInterceptors {
		options = append(options, grpc.ChainUnaryInterceptor(authorize, identify))
	}
	server := grpc.NewServer(options...)
	greeter.RegisterGreeterServer(server, &greeterServer{})
	bench.RegisterBenchServiceServer(server, &benchServer{})
	return server.Serve(listener)
}

// authorize lets in who has the token.
func authorize(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if found := metadata.ValueFromIncomingContext(ctx, "authorization"); len(found) == 0 || found[0] != "Bearer bench" {
		return nil, status.Error(codes.Unauthenticated, "expected the token of the benchmark")
	}
	return next(ctx, request)
}

// identify gives the request's id back.
func identify(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	response, err := next(ctx, request)
	id := "none"
	if found := metadata.ValueFromIncomingContext(ctx, "x-request-id"); len(found) > 0 {
		id = found[0]
	}
	grpc.SetHeader(ctx, metadata.Pairs("x-request-id", id))
	return response, err
}

// greeterServer is also the handler of connect-go: its methods have the same signatures.
type greeterServer struct {
	greeter.UnimplementedGreeterServer
}

func (*greeterServer) SayHello(_ context.Context, request *greeter.HelloRequest) (*greeter.HelloReply, error) {
	return &greeter.HelloReply{Message: "Hello, " + request.GetName() + "!"}, nil
}

func (*greeterServer) SayHelloAgain(_ context.Context, request *greeter.HelloRequest) (*greeter.HelloReply, error) {
	return &greeter.HelloReply{Message: "Hello, " + request.GetName() + " Again!"}, nil
}

type benchServer struct {
	bench.UnimplementedBenchServiceServer
}

func (*benchServer) Echo(_ context.Context, blob *bench.Blob) (*bench.Blob, error) {
	return blob, nil
}

func (*benchServer) EchoShelf(_ context.Context, shelf *bench.Shelf) (*bench.Shelf, error) {
	return shelf, nil
}

func (*benchServer) Download(count *bench.Count, stream grpc.ServerStreamingServer[bench.Note]) error {
	for index := uint32(1); index <= count.GetNumber(); index++ {
		if err := stream.Send(&bench.Note{Text: "a small message", Index: index}); err != nil {
			return err
		}
	}
	return nil
}

func (*benchServer) Upload(stream grpc.ClientStreamingServer[bench.Note, bench.Count]) error {
	for number := uint32(0); ; number++ {
		_, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&bench.Count{Number: number})
		}
		if err != nil {
			return err
		}
	}
}

func (*benchServer) PingPong(stream grpc.BidiStreamingServer[bench.Note, bench.Note]) error {
	for {
		note, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(note); err != nil {
			return err
		}
	}
}
