package main

import (
	"net"

	"connectrpc.com/vanguard"
	"manywire.test/bench/gen/bench/benchconnect"
	"manywire.test/bench/gen/greeter/greeterconnect"
)

// serveVanguard serves by vanguard-go, which transcodes for the handlers of connect-go.
func serveVanguard(listener net.Listener) error {
	transcoder, err := vanguard.NewTranscoder([]*vanguard.Service{
		vanguard.NewService(greeterconnect.NewGreeterHandler(&greeterServer{}, connectOptions()...)),
		vanguard.NewService(benchconnect.NewBenchServiceHandler(&connectBench{}, connectOptions()...)),
	})
	if err != nil {
		return err
	}
	return serveHTTP(listener, transcoder)
}
