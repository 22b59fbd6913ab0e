package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

var limitTests = []test{
	{"ends a call at its deadline, whether the handler heeds it or not", calling(passDeadline)},
	{"gets the replies that came before the deadline", calling(passDeadlineInStream)},
	{"may set a deadline of 30 days", calling(setFarDeadline)},
	{"cancels a call, and goes on calling", calling(cancelCalls)},
	{"leaves a stream before its end", calling(leaveStream)},
	{"is refused a message over 4 MiB, and goes on calling", calling(sendTooMuch)},
	{"gets 16 MB, if it wants that much", calling(getMuch)},
	{"is refused more metadata than the server takes, and goes on calling", calling(sendTooMuchMetadata)},
}

func passDeadline(ctx context.Context, to stub) {
	for _, ignoreSignal := range []bool{false, true} {
		asked := &request{Count: 1, WaitMs: 1000, IgnoreSignal: ignoreSignal}
		for _, kind := range kinds {
			soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			expect(kind.name, status.Code(kind.call(soon, to, asked).err), codes.DeadlineExceeded)
			cancel()
		}
	}
}

func passDeadlineInStream(ctx context.Context, to stub) {
	soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	found := callServerStream(soon, to, &request{Count: 50, WaitMs: 60})
	expect("code", status.Code(found.err), codes.DeadlineExceeded)
	expect("whether there are replies", len(found.replies) > 0, true)
}

func setFarDeadline(ctx context.Context, to stub) {
	far, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*24*time.Hour)
	defer cancel()
	expect("reply", must(to.Unary(far, &request{Text: "patient", WaitMs: 20})).Text, "patient")
}

func cancelCalls(ctx context.Context, to stub) {
	for _, kind := range kinds {
		cancelled, cancel := context.WithCancel(ctx)
		time.AfterFunc(50*time.Millisecond, cancel)
		found := kind.call(cancelled, to, &request{Count: 1, WaitMs: 10_000})
		expect(kind.name, status.Code(found.err), codes.Canceled)
		expect("next", must(to.Unary(ctx, &request{Text: "next"})).Text, "next")
	}
}

func leaveStream(ctx context.Context, to stub) {
	cancelled, cancel := context.WithCancel(ctx)
	stream := must(to.ServerStream(cancelled, &request{Count: 1_000_000, ReplyBytes: 1000}))
	for index := range 10 {
		expect("index", must(stream.Recv()).Index, uint32(index))
	}
	cancel()
	expect("code", status.Code(collect(stream, stream.Recv).err), codes.Canceled)
	expect("next", must(to.Unary(ctx, &request{Text: "next"})).Text, "next")
}

func sendTooMuch(ctx context.Context, to stub) {
	for name, found := range everyKind(ctx, to, &request{Data: make([]byte, 4<<20)}) {
		expect(name, status.Code(found.err), codes.ResourceExhausted)
		expect("next", must(to.Unary(ctx, &request{Text: "next"})).Text, "next")
	}
}

func getMuch(ctx context.Context, to stub) {
	reply := must(to.Unary(ctx, &request{ReplyBytes: 16_000_000}, grpc.MaxCallRecvMsgSize(20<<20)))
	expect("bytes", len(reply.Data), 16_000_000)
}

func sendTooMuchMetadata(ctx context.Context, to stub) {
	large := metadata.AppendToOutgoingContext(ctx, "x-large", fmt.Sprintf("%020000d", 1))
	_, err := to.Unary(large, &request{})
	expect("whether it is an error", err != nil, true)
	expect("next", must(to.Unary(ctx, &request{Text: "next"})).Text, "next")
}
