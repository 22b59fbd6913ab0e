package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"

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

// serveVanguardProxy serves by vanguard-go, which transcodes for the gRPC server on the port --backend.
func serveVanguardProxy(listener net.Listener) error {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "127.0.0.1:" + *backend})
	proxy.Transport = &http.Transport{Protocols: protocols}
	proxy.FlushInterval = -1
	// The load leaves calls behind at the end of each round.
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	target := []vanguard.ServiceOption{
		vanguard.WithTargetProtocols(vanguard.ProtocolGRPC),
		vanguard.WithTargetCodecs(vanguard.CodecProto),
	}
	transcoder, err := vanguard.NewTranscoder([]*vanguard.Service{
		vanguard.NewService(greeterconnect.GreeterName, proxy, target...),
		vanguard.NewService(benchconnect.BenchServiceName, proxy, target...),
	})
	if err != nil {
		return err
	}
	return serveHTTP(listener, transcoder)
}
