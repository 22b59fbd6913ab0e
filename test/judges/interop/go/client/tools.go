package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/health" // Watches health for the balancer.
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"manywire.test/gen/testing"
)

const (
	serving    = health.HealthCheckResponse_SERVING
	notServing = health.HealthCheckResponse_NOT_SERVING
	unknown    = health.HealthCheckResponse_SERVICE_UNKNOWN
)

var toolTests = []test{
	{"asks for health, of the server, of a service and of a stranger", connected(askForHealth)},
	{"watches health, and is told of each change", connected(watchHealth)},
	{"calls only while health says SERVING, if it is configured so", callWhenHealthy},
	{"lists the services by reflection", connected(listServices)},
	{"finds a file by a symbol in it", connected(findFile)},
}

func askForHealth(ctx context.Context, connection *grpc.ClientConn) {
	to := health.NewHealthClient(connection)
	for _, service := range []string{"", "hello_world.Greeter"} {
		expect(service, must(to.Check(ctx, &health.HealthCheckRequest{Service: service})).Status, serving)
	}
	_, err := to.Check(ctx, &health.HealthCheckRequest{Service: "?"})
	expect("a stranger", status.Code(err), codes.NotFound)
}

// setHealth makes the server say so of a service.
func setHealth(ctx context.Context, to stub, service string, status health.HealthCheckResponse_ServingStatus) {
	must(to.Unary(metadata.AppendToOutgoingContext(ctx, "x-health", service+"="+status.String()), &request{}))
}

func watchHealth(ctx context.Context, connection *grpc.ClientConn) {
	to := testing.NewTestServiceClient(connection)
	changes := must(health.NewHealthClient(connection).Watch(ctx, &health.HealthCheckRequest{Service: "watched by Go"}))
	expect("first", must(changes.Recv()).Status, unknown)
	for _, status := range []health.HealthCheckResponse_ServingStatus{serving, notServing} {
		setHealth(ctx, to, "watched by Go", status)
		expect("change", must(changes.Recv()).Status, status)
	}
}

func callWhenHealthy() {
	config := `{"healthCheckConfig": {"serviceName": "balanced by Go"}, "loadBalancingConfig": [{"round_robin": {}}]}`
	calling(func(ctx context.Context, another stub) {
		setHealth(ctx, another, "balanced by Go", notServing)
		calling(func(ctx context.Context, to stub) {
			_, err := to.Unary(ctx, &request{})
			expect("while it is not serving", status.Code(err), codes.Unavailable)
			var saying sync.WaitGroup
			saying.Go(func() {
				time.Sleep(50 * time.Millisecond)
				setHealth(ctx, another, "balanced by Go", serving)
			})
			// The answer to the one may come after the answer to the other.
			defer saying.Wait()
			reply := must(to.Unary(ctx, &request{Text: "healthy"}, grpc.WaitForReady(true)))
			expect("while it is serving", reply.Text, "healthy")
		}, grpc.WithDefaultServiceConfig(config))()
	})()
}

// askReflection asks one question.
func askReflection(
	ctx context.Context, connection *grpc.ClientConn, question *reflection.ServerReflectionRequest,
) *reflection.ServerReflectionResponse {
	talk := must(reflection.NewServerReflectionClient(connection).ServerReflectionInfo(ctx))
	check(talk.Send(question))
	return must(talk.Recv())
}

func listServices(ctx context.Context, connection *grpc.ClientConn) {
	answer := askReflection(ctx, connection, &reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_ListServices{},
	})
	var names []string
	for _, service := range answer.GetListServicesResponse().Service {
		names = append(names, service.Name)
	}
	slices.Sort(names)
	expect("services", names, []string{
		"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
		"hello_world.Greeter", "manywire.test.v1.TestService",
	})
}

func findFile(ctx context.Context, connection *grpc.ClientConn) {
	answer := askReflection(ctx, connection, &reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{
			FileContainingSymbol: "hello_world.Greeter.SayHello",
		},
	})
	var file descriptorpb.FileDescriptorProto
	check(proto.Unmarshal(answer.GetFileDescriptorResponse().FileDescriptorProto[0], &file))
	expect("file", file.GetName(), "hello_world.proto")
}
