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
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails" // It can show only details that it knows.
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"manywire.test/gen/greeter"
)

func main() {
	mux := runtime.NewServeMux(runtime.WithIncomingHeaderMatcher(handOn))
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

// handOn lets the headers through by which a test asks something of the server, under their own names.
func handOn(header string) (string, bool) {
	if strings.HasPrefix(header, "X-") {
		return header, true
	}
	return runtime.DefaultHeaderMatcher(header)
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
