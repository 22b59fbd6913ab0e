// Command client calls, by grpc-go, the server that the environment names: TARGET_ADDRESS, TARGET_CA where it speaks TLS,
// TARGET_CERT and TARGET_KEY where it wants a certificate. With --list it prints the titles of its tests, as JSON, with
// --keep-calling it calls until standard input ends; otherwise, it runs its tests and prints a line of JSON for each: its
// title and its errors.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
)

type test struct {
	title string
	run   func()
}

type result struct {
	Title  string   `json:"title"`
	Errors []string `json:"errors"`
}

var (
	quickTests = slices.Concat(callTests, limitTests, errorTests, toolTests)
	// These mostly wait, and so beside the others.
	slowTests = connectionTests
)

func main() {
	if slices.Contains(os.Args, "--list") {
		titles := []string{}
		for _, test := range slices.Concat(quickTests, slowTests) {
			titles = append(titles, test.title)
		}
		print(titles)
		return
	}
	if slices.Contains(os.Args, "--keep-calling") {
		keepCalling()
		return
	}
	var slow sync.WaitGroup
	slow.Go(func() { run(slowTests) })
	run(quickTests)
	slow.Wait()
}

func run(tests []test) {
	for _, test := range tests {
		print(result{test.title, errorsOf(test.run)})
	}
}

var output sync.Mutex

func print(value any) {
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(value); err != nil {
		panic(err)
	}
}

// errorsOf runs a test, which fails by a panic.
func errorsOf(run func()) (errors []string) {
	defer func() {
		if failure := recover(); failure != nil {
			errors = append(errors, fmt.Sprintf("%v\n%s", failure, debug.Stack()))
		}
	}()
	run()
	return []string{}
}

// must returns the value of a step that may not fail.
func must[V any](value V, err error) V {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func expect(what string, found, expected any) {
	if !reflect.DeepEqual(found, expected) {
		panic(fmt.Sprintf("%s: expected %v, found %v", what, expected, found))
	}
}
