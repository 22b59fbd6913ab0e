package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"connectrpc.com/connect"
	"manywire.test/bench/gen/bench"
	"manywire.test/bench/gen/bench/benchconnect"
	"manywire.test/bench/gen/greeter/greeterconnect"
)

// serveConnect serves by connect-go.
func serveConnect(listener net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle(greeterconnect.NewGreeterHandler(&greeterServer{}, connectOptions()...))
	mux.Handle(benchconnect.NewBenchServiceHandler(&connectBench{}, connectOptions()...))
	return serveHTTP(listener, mux)
}

func connectOptions() []connect.HandlerOption {
	if !*hasInterceptors {
		return nil
	}
	authorize := connect.UnaryInterceptorFunc(authorizeConnect)
	identify := connect.UnaryInterceptorFunc(identifyConnect)
	return []connect.HandlerOption{connect.WithInterceptors(authorize, identify)}
}

// authorizeConnect lets in who has the token.
func authorizeConnect(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		if request.Header().Get("authorization") != "Bearer bench" {
			return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("expected the token of the benchmark"))
		}
		return next(ctx, request)
	}
}

// identifyConnect gives the request's id back.
func identifyConnect(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		response, err := next(ctx, request)
		if err != nil {
			return nil, err
		}
		id := request.Header().Get("x-request-id")
		if id == "" {
			id = "none"
		}
		response.Header().Set("x-request-id", id)
		return response, nil
	}
}

type connectBench struct{}

func (*connectBench) Echo(_ context.Context, blob *bench.Blob) (*bench.Blob, error) {
	return blob, nil
}

func (*connectBench) EchoShelf(_ context.Context, shelf *bench.Shelf) (*bench.Shelf, error) {
	return shelf, nil
}

func (*connectBench) Download(_ context.Context, count *bench.Count, stream *connect.ServerStream[bench.Note]) error {
	for index := uint32(1); index <= count.GetNumber(); index++ {
		if err := stream.Send(&bench.Note{Text: "a small message", Index: index}); err != nil {
			return err
		}
	}
	return nil
}

func (*connectBench) Upload(_ context.Context, stream *connect.ClientStream[bench.Note]) (*bench.Count, error) {
	number := uint32(0)
	for stream.Receive() {
		number++
	}
	return &bench.Count{Number: number}, stream.Err()
}

func (*connectBench) PingPong(_ context.Context, stream *connect.BidiStream[bench.Note, bench.Note]) error {
	for {
		note, err := stream.Receive()
		if errors.Is(err, io.EOF) {
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
