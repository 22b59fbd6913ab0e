package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"manywire.test/bench/gen/greeter"
)

// callOnce calls the Greeter at an address as an application with tracing does, so that its headers can be recorded. Its
// headers are for streams, which have no deadline.
func callOnce(address, traceparent string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx := metadata.AppendToOutgoingContext(context.Background(), "traceparent", traceparent)
	_, err = greeter.NewGreeterClient(connection).SayHello(ctx, &greeter.HelloRequest{Name: "you"})
	return err
}
