// Command gateway puts grpc-gateway, as its own generator made it from our proto, in front of the server that
// TARGET_ADDRESS names, with TLS by the authority of TARGET_CA if that is set. It prints its address and serves until
// standard input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"manywire.test/gen/greeter"
)

func main() {
	mux := runtime.NewServeMux()
	options := []grpc.DialOption{grpc.WithTransportCredentials(security())}
	address := "passthrough:///" + os.Getenv("TARGET_ADDRESS")
	if err := greeter.RegisterGreeterHandlerFromEndpoint(context.Background(), mux, address, options); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(listener, mux)) }()
	fmt.Printf("http://%s\n", listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}

func security() credentials.TransportCredentials {
	authority := os.Getenv("TARGET_CA")
	if authority == "" {
		return insecure.NewCredentials()
	}
	trusted, err := credentials.NewClientTLSFromFile(authority, "")
	if err != nil {
		log.Fatal(err)
	}
	return trusted
}
