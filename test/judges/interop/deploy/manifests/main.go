// Reads what docs/deploy has for Kubernetes and Docker as these do, and prints it as JSON.
//
//	manifests kubernetes FOLDER   a list of documents, rendered by kustomize
//	manifests dockerfile FILE     a list of stages
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

var readers = map[string]func(path string) (any, error){
	"kubernetes": render,
	"dockerfile": readDockerfile,
}

func main() {
	read, isKnown := readers[os.Args[1]]
	if !isKnown {
		fail(fmt.Errorf("expected kubernetes or dockerfile, found %q", os.Args[1]))
	}
	found, err := read(os.Args[2])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
