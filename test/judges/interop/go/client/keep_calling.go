package main

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/status"
)

// keepCalling calls without a pause until standard input ends, then prints how often each code was the answer.
func keepCalling() {
	var hasEnded atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		hasEnded.Store(true)
	}()
	again := backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1, MaxDelay: time.Second}
	var lock sync.Mutex
	codes := map[string]int{}
	calling(func(_ context.Context, to stub) {
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for !hasEnded.Load() {
					code := callOnce(to)
					lock.Lock()
					codes[code]++
					lock.Unlock()
				}
			})
		}
		callers.Wait()
	}, grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: longest}))()
	print(codes)
}

func callOnce(to stub) string {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	_, err := to.Unary(ctx, &request{WaitMs: 10}, grpc.WaitForReady(true))
	return status.Code(err).String()
}
