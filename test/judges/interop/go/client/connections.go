package main

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"manywire.test/gen/testing"
)

// often is as often as grpc-go pings.
const often = 10 * time.Second

var connectionTests = []test{
	{"pings the server, while it calls and while it does not", pingServer},
	{"adds metadata in interceptors", intercept},
}

func pingServer() {
	pings := keepalive.ClientParameters{Time: often, Timeout: 2 * time.Second, PermitWithoutStream: true}
	busy, idle := open(grpc.WithKeepaliveParams(pings)), open(grpc.WithKeepaliveParams(pings))
	defer busy.Close()
	defer idle.Close()
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	expect("first", must(testing.NewTestServiceClient(idle).Unary(ctx, &request{Text: "first"})).Text, "first")
	late := &request{Text: "late", WaitMs: 11_500}
	expect("late", must(testing.NewTestServiceClient(busy).Unary(ctx, late)).Text, "late")
	expect("whether the idle connection lives", idle.GetState(), connectivity.Ready)
}

func intercept() {
	onUnary := func(
		ctx context.Context, method string, asked, reply any,
		to *grpc.ClientConn, proceed grpc.UnaryInvoker, options ...grpc.CallOption,
	) error {
		return proceed(withEcho(ctx), method, asked, reply, to, options...)
	}
	onStream := func(
		ctx context.Context, description *grpc.StreamDesc,
		to *grpc.ClientConn, method string, proceed grpc.Streamer, options ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		return proceed(withEcho(ctx), description, to, method, options...)
	}
	calling(func(ctx context.Context, to stub) {
		for name, found := range everyKind(ctx, to, &request{Count: 1}) {
			check(found.err)
			expect(name, found.header["x-echo"], []string{"added"})
		}
	}, grpc.WithUnaryInterceptor(onUnary), grpc.WithStreamInterceptor(onStream))()
}

func withEcho(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "x-echo", "added")
}
