// Command bench is one server of the services of the benchmark, set up as its documentation shows:
//
//	bench grpc|connect|vanguard|vanguard-proxy|gateway [flags]
//
// It prints its port and serves until standard input ends. `bench call ADDRESS TRACEPARENT` makes one call instead.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

var (
	certFile        = flag.String("cert", "", "PEM file of the certificate; plaintext without it")
	keyFile         = flag.String("key", "", "PEM file of its key")
	hasInterceptors = flag.Bool("interceptors", false, "authorize and identify, as the other servers have them")
	backend         = flag.String("backend", "", "port of the gRPC server behind the gateway or proxy")
)

var kinds = map[string]func(net.Listener) error{
	"grpc":           serveGrpc,
	"connect":        serveConnect,
	"vanguard":       serveVanguard,
	"vanguard-proxy": serveVanguardProxy,
	"gateway":        serveGateway,
}

func main() {
	if os.Args[1] == "call" {
		if err := callOnce(os.Args[2], os.Args[3]); err != nil {
			log.Fatal(err)
		}
		return
	}
	serve := kinds[os.Args[1]]
	if serve == nil {
		log.Fatalf("bench: expected grpc, connect, vanguard, vanguard-proxy or gateway, found %s", os.Args[1])
	}
	flag.CommandLine.Parse(os.Args[2:])
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(serve(listener)) }()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	io.Copy(io.Discard, os.Stdin)
}

// serveHTTP serves HTTP/1.1 and HTTP/2 on one port, in plaintext or over TLS.
func serveHTTP(listener net.Listener, handler http.Handler) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: protocols}
	if *certFile == "" {
		return server.Serve(listener)
	}
	return server.ServeTLS(listener, *certFile, *keyFile)
}
