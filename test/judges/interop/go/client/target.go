package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"iter"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"manywire.test/gen/testing"
)

// longest is the time that any test may take.
const longest = 30 * time.Second

// open makes a connection of its own. The caller closes it.
func open(options ...grpc.DialOption) *grpc.ClientConn {
	options = append(options, grpc.WithTransportCredentials(security()))
	return must(grpc.NewClient("passthrough:///"+os.Getenv("TARGET_ADDRESS"), options...))
}

func security() credentials.TransportCredentials {
	authority := os.Getenv("TARGET_CA")
	if authority == "" {
		return insecure.NewCredentials()
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(must(os.ReadFile(authority)))
	if certificate := os.Getenv("TARGET_CERT"); certificate != "" {
		pair := must(tls.LoadX509KeyPair(certificate, os.Getenv("TARGET_KEY")))
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config)
}

// connected runs a test with a connection of its own.
func connected(run func(context.Context, *grpc.ClientConn), options ...grpc.DialOption) func() {
	return func() {
		connection := open(options...)
		defer connection.Close()
		ctx, cancel := context.WithTimeout(context.Background(), longest)
		defer cancel()
		run(ctx, connection)
	}
}

// calling runs a test with a stub of the test service.
func calling(run func(context.Context, stub), options ...grpc.DialOption) func() {
	return connected(func(ctx context.Context, connection *grpc.ClientConn) {
		run(ctx, testing.NewTestServiceClient(connection))
	}, options...)
}

// outcome is what came of a call of any kind.
type outcome struct {
	replies         []*testing.TestReply
	header, trailer metadata.MD
	err             error
}

type (
	request = testing.TestRequest
	stub    = testing.TestServiceClient
)

var kinds = []struct {
	name string
	call func(context.Context, stub, *request, ...grpc.CallOption) outcome
}{
	{"Unary", callUnary},
	{"ServerStream", callServerStream},
	{"ClientStream", callClientStream},
	{"BidiStream", callBidiStream},
}

// everyKind makes one call of each kind, with the same request: pairs of its name and what came of it.
func everyKind(ctx context.Context, to stub, asked *request, options ...grpc.CallOption) iter.Seq2[string, outcome] {
	return func(yield func(string, outcome) bool) {
		for _, kind := range kinds {
			if !yield(kind.name, kind.call(ctx, to, asked, options...)) {
				return
			}
		}
	}
}

func callUnary(ctx context.Context, to stub, asked *request, options ...grpc.CallOption) (found outcome) {
	options = append(options, grpc.Header(&found.header), grpc.Trailer(&found.trailer))
	reply, err := to.Unary(ctx, asked, options...)
	if err == nil {
		found.replies = append(found.replies, reply)
	}
	found.err = err
	return found
}

func callServerStream(ctx context.Context, to stub, asked *request, options ...grpc.CallOption) outcome {
	stream, err := to.ServerStream(ctx, asked, options...)
	if err != nil {
		return outcome{err: err}
	}
	return collect(stream, stream.Recv)
}

func callClientStream(ctx context.Context, to stub, asked *request, options ...grpc.CallOption) outcome {
	stream, err := to.ClientStream(ctx, options...)
	if err != nil {
		return outcome{err: err}
	}
	// An error of Send says only that the call has ended; how, is told by the one that receives.
	_ = stream.Send(asked)
	reply, err := stream.CloseAndRecv()
	found := outcome{trailer: stream.Trailer(), err: err}
	found.header, _ = stream.Header()
	if err == nil {
		found.replies = append(found.replies, reply)
	}
	return found
}

func callBidiStream(ctx context.Context, to stub, asked *request, options ...grpc.CallOption) outcome {
	stream, err := to.BidiStream(ctx, options...)
	if err != nil {
		return outcome{err: err}
	}
	_ = stream.Send(asked)
	_ = stream.CloseSend()
	return collect(stream, stream.Recv)
}

func collect(stream grpc.ClientStream, receive func() (*testing.TestReply, error)) (found outcome) {
	for found.err == nil {
		reply, err := receive()
		if err == io.EOF {
			break
		}
		if found.err = err; err == nil {
			found.replies = append(found.replies, reply)
		}
	}
	found.header, _ = stream.Header()
	found.trailer = stream.Trailer()
	return found
}
