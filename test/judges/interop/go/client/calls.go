package main

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"
	"manywire.test/gen/greeter"
)

var callTests = []test{
	{"says hello", connected(sayHello)},
	{"sends and gets text and bytes, or nothing", calling(callWithContent)},
	{"sends and gets streams", calling(callStreams)},
	{"sends and gets streams of no message", calling(callEmptyStreams)},
	{"waits for each answer of a stream before it asks the next", calling(converse)},
	{"makes more calls at the same time than the server's limit of streams", calling(callOften)},
	{"sends metadata and gets them back as header and trailer, text and bytes", calling(sendMetadata)},
	{"compresses with gzip, and gets gzip", func() {
		seen := &payloads{}
		calling(seen.compress, grpc.WithStatsHandler(seen))()
	}},
}

func sayHello(ctx context.Context, connection *grpc.ClientConn) {
	to := greeter.NewGreeterClient(connection)
	you := &greeter.HelloRequest{Name: "you"}
	expect("SayHello", must(to.SayHello(ctx, you)).Message, "Hello, you!")
	expect("SayHelloAgain", must(to.SayHelloAgain(ctx, you)).Message, "Hello, you Again!")
}

func callWithContent(ctx context.Context, to stub) {
	data := bytes.Repeat([]byte{0, 1, 255}, 30_000)
	reply := must(to.Unary(ctx, &request{Text: "päth 🙈", Data: data}))
	expect("text", reply.Text, "päth 🙈")
	expect("data", reply.Data, data)
	expect("nothing", proto.Size(must(to.Get(ctx, &request{}))), 0)
}

func callStreams(ctx context.Context, to stub) {
	expect("ServerStream", indexes(callServerStream(ctx, to, &request{Count: 3})), []uint32{0, 1, 2})
	upload := must(to.ClientStream(ctx))
	for _, text := range []string{"a", "b", "ç"} {
		check(upload.Send(&request{Text: text}))
	}
	joined := must(upload.CloseAndRecv())
	expect("ClientStream", []any{joined.Text, joined.Index}, []any{"a,b,ç", uint32(3)})
}

func indexes(found outcome) []uint32 {
	check(found.err)
	indexes := make([]uint32, len(found.replies))
	for number, reply := range found.replies {
		indexes[number] = reply.Index
	}
	return indexes
}

func callEmptyStreams(ctx context.Context, to stub) {
	expect("ServerStream", indexes(callServerStream(ctx, to, &request{})), []uint32{})
	upload := must(to.ClientStream(ctx))
	expect("ClientStream", proto.Size(must(upload.CloseAndRecv())), 0)
	talk := must(to.BidiStream(ctx))
	check(talk.CloseSend())
	expect("BidiStream", indexes(collect(talk, talk.Recv)), []uint32{})
}

func converse(ctx context.Context, to stub) {
	talk := must(to.BidiStream(ctx))
	for number := range 20 {
		text := strconv.Itoa(number)
		check(talk.Send(&request{Text: text}))
		expect("reply", must(talk.Recv()).Text, text)
	}
	check(talk.CloseSend())
	_, err := talk.Recv()
	expect("end", err, io.EOF)
}

func callOften(ctx context.Context, to stub) {
	texts := make([]string, 400)
	var calls sync.WaitGroup
	for number := range texts {
		calls.Go(func() {
			reply, err := to.Unary(ctx, &request{Text: strconv.Itoa(number), WaitMs: 50})
			if err != nil {
				texts[number] = err.Error()
				return
			}
			texts[number] = reply.Text
		})
	}
	calls.Wait()
	for number, text := range texts {
		expect("reply", text, strconv.Itoa(number))
	}
}

func sendMetadata(ctx context.Context, to stub) {
	ctx = metadata.AppendToOutgoingContext(ctx,
		"x-echo", "text, with comma", "x-echo-bin", "\x00\xff,\n", "x-echo-trailer", "end", "x-echo-trailer-bin", "")
	for name, found := range everyKind(ctx, to, &request{Count: 1}) {
		check(found.err)
		expect(name, found.header["x-echo"], []string{"text, with comma"})
		expect(name, found.header["x-echo-bin"], []string{"\x00\xff,\n"})
		expect(name, found.trailer["x-echo-trailer"], []string{"end"})
		expect(name, found.trailer["x-echo-trailer-bin"], []string{""})
	}
}

// payloads counts the messages that were compressed on the wire.
type payloads struct {
	sync.Mutex
	sent, received int
}

func (seen *payloads) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (seen *payloads) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (seen *payloads) HandleConn(context.Context, stats.ConnStats)                       {}

func (seen *payloads) HandleRPC(_ context.Context, event stats.RPCStats) {
	seen.Lock()
	defer seen.Unlock()
	switch event := event.(type) {
	case *stats.OutPayload:
		if event.CompressedLength < event.Length {
			seen.sent++
		}
	case *stats.InPayload:
		if event.CompressedLength < event.Length {
			seen.received++
		}
	}
}

func (seen *payloads) compress(ctx context.Context, to stub) {
	asked := &request{Text: string(bytes.Repeat([]byte("a"), 100_000)), Count: 1}
	for name, found := range everyKind(ctx, to, asked, grpc.UseCompressor(gzip.Name)) {
		check(found.err)
		expect(name, len(found.replies[0].Text), 100_000)
	}
	expect("compressed requests and replies", []int{seen.sent, seen.received}, []int{4, 4})
}
