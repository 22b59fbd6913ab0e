package main

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"manywire.test/gen/testing"
)

const retryPolicy = `{"methodConfig": [{"name": [{}], "retryPolicy": {
	"maxAttempts": 4, "initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1,
	"retryableStatusCodes": ["UNAVAILABLE"]}}]}`

var errorTests = []test{
	{"gets every code with its message, which may hold any character", calling(getCodes)},
	{"gets the details and the metadata of an error", calling(getDetails)},
	{"gets the replies that came before an error", calling(failInStream)},
	{"learns no secret from an accident in a handler", calling(haveAccident)},
	{"is told UNIMPLEMENTED for what nobody serves", connected(callUnserved)},
	{
		"tries again what the server says that it is unavailable for",
		calling(tryAgain, grpc.WithDefaultServiceConfig(retryPolicy)),
	},
}

func getCodes(ctx context.Context, to stub) {
	message := "100 % sûr\nor 🙈"
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		failure := &testing.Failure{Code: int32(code), Message: message}
		_, err := to.Unary(ctx, &request{Failure: failure})
		expect(code.String(), []any{status.Code(err), status.Convert(err).Message()}, []any{code, message})
	}
}

func getDetails(ctx context.Context, to stub) {
	failure := &testing.Failure{Code: int32(codes.FailedPrecondition), Message: "no", Reason: "CLOSED"}
	expected := &errdetails.ErrorInfo{Reason: "CLOSED", Domain: "manywire.test"}
	ctx = metadata.AppendToOutgoingContext(ctx, "x-fail-hint", "later")
	for name, found := range everyKind(ctx, to, &request{Count: 1, Failure: failure}) {
		told := status.Convert(found.err)
		expect(name, []any{told.Code(), told.Message()}, []any{codes.FailedPrecondition, "no"})
		expect(name, len(told.Details()), 1)
		expect(name, proto.Equal(told.Details()[0].(*errdetails.ErrorInfo), expected), true)
		expect(name, found.trailer["hint"], []string{"later"})
	}
}

func failInStream(ctx context.Context, to stub) {
	failure := &testing.Failure{Code: int32(codes.Aborted), Message: "half", After: 2}
	found := callServerStream(ctx, to, &request{Count: 5, Failure: failure})
	expect("replies", len(found.replies), 2)
	expect("code", status.Code(found.err), codes.Aborted)
}

func haveAccident(ctx context.Context, to stub) {
	for name, found := range everyKind(ctx, to, &request{Count: 1, Failure: &testing.Failure{Message: "secret"}}) {
		isAccident := slices.Contains([]codes.Code{codes.Internal, codes.Unknown}, status.Code(found.err))
		expect(name, isAccident, true)
		expect(name, strings.Contains(found.err.Error(), "secret"), false)
	}
}

func callUnserved(ctx context.Context, connection *grpc.ClientConn) {
	for _, path := range []string{
		"/manywire.test.v1.TestService/Missing", "/manywire.test.v1.TestService/Nothing", "/no.Such/Service",
	} {
		err := connection.Invoke(ctx, path, &request{}, &testing.TestReply{})
		expect(path, status.Code(err), codes.Unimplemented)
	}
}

func tryAgain(ctx context.Context, to stub) {
	ctx = metadata.AppendToOutgoingContext(ctx, "x-attempts", "2")
	for name, found := range everyKind(ctx, to, &request{Text: "third", Count: 1}) {
		check(found.err)
		expect(name, found.replies[0].Text, "third")
	}
}
