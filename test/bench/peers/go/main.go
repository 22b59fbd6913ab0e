// Command server is grpc-go with the services of the benchmark, set up as its documentation shows. With --tls it shows the
// certificate of the two files that follow; with --interceptors it has those of the other peers. It prints its port and
// serves until standard input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"manywire.test/bench/gen/bench"
	"manywire.test/bench/gen/greeter"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(options()...)
	greeter.RegisterGreeterServer(server, &greeterServer{})
	bench.RegisterBenchServiceServer(server, &benchServer{})
	go func() { log.Fatal(server.Serve(listener)) }()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	io.Copy(io.Discard, os.Stdin)
}

func options() []grpc.ServerOption {
	options := []grpc.ServerOption{}
	if at := slices.Index(os.Args, "--tls"); at >= 0 {
		security, err := credentials.NewServerTLSFromFile(os.Args[at+1], os.Args[at+2])
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(security))
	}
	if slices.Contains(os.Args, "--interceptors") {
		options = append(options, grpc.ChainUnaryInterceptor(authorize, identify))
	}
	return options
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

type greeterServer struct {
	greeter.UnimplementedGreeterServer
}

func (*greeterServer) SayHello(_ context.Context, request *greeter.HelloRequest) (*greeter.HelloReply, error) {
	return &greeter.HelloReply{Message: "Hello, " + request.GetName() + "!"}, nil
}

type benchServer struct {
	bench.UnimplementedBenchServiceServer
}

func (*benchServer) Echo(_ context.Context, blob *bench.Blob) (*bench.Blob, error) {
	return blob, nil
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
