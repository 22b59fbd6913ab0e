// Command load makes unary calls over plaintext HTTP/2 at a fixed rate, whether or not the server keeps up. A call's
// time counts from when it was due, so a server that stalls pays for every call that it made wait.
//
// It takes a JSON file of a load and prints the JSON of a result. It is one thread that polls its sockets and allocates
// nothing while it runs: neither a collector nor a scheduler delays a call.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"
)

// load is what to do. Frames have the stream 0.
type load struct {
	Port        int
	Opening     []byte // what a connection begins with
	First       []byte // the frames of the first call on a connection
	Later       []byte // the frames of each later one
	Span        string // where a call has its own number in hexadecimal, as one of a trace has
	Reply       []byte // what the DATA frames of each response must have
	Connections int
	Streams     int     // the most at a time on each connection; further calls wait for their turn
	MayRefuse   bool    // whether a response without DATA is a refusal, and not an error
	DeadlineMs  float64 // for what counts as good; 0 for no deadline
	Rate        float64 // calls a second
	LeadSeconds float64 // at the beginning, which do not count
	Seconds     float64
}

// result has times in milliseconds.
type result struct {
	Rate      float64 `json:"rate"`      // calls a second that ended
	P50Ms     float64 `json:"p50Ms"`     // from when a call was due to its end
	P99Ms     float64 `json:"p99Ms"`     // the same
	LateP99Ms float64 `json:"lateP99Ms"` // from when a call was due to its start, if no full connection held it back
	GoodRate  float64 `json:"goodRate"`  // calls a second that were served before their deadlines
	Refused   float64 `json:"refused"`   // share of the calls that ended
}

// patience is how many times as long as planned a run may take: after that, the server cannot take the rate.
const patience = 1.5

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var load load
	if err := json.Unmarshal(text, &load); err != nil {
		log.Fatal(err)
	}
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	found, err := run(load)
	if err != nil {
		log.Fatalf("load: %v", err)
	}
	output, err := json.Marshal(found)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(output))
}

func run(load load) (result, error) {
	count := int((load.LeadSeconds + load.Seconds) * load.Rate)
	calls := newCalls(count, load.Rate)
	connections := make([]*connection, load.Connections)
	for index := range connections {
		connection, err := open(load, calls, index)
		if err != nil {
			return result{}, err
		}
		connections[index] = connection
	}
	limit := time.Duration((load.LeadSeconds + load.Seconds) * patience * float64(time.Second))
	calls.start = time.Now()
	for calls.ended < count && calls.now() < limit {
		for _, connection := range connections {
			if err := connection.turn(); err != nil {
				return result{}, err
			}
		}
		// The server behind a proxy has the same core. Nobody else has, so that this returns at once where there is none.
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0); errno != 0 {
			return result{}, errno
		}
	}
	lead := int(load.LeadSeconds * load.Rate)
	return result{
		GoodRate:  float64(calls.good(load.DeadlineMs)) / calls.now().Seconds(),
		Refused:   float64(calls.refused) / float64(max(1, calls.ended)),
		Rate:      float64(calls.ended) / calls.now().Seconds(),
		P50Ms:     quantile(calls.took[lead:], 0.5),
		P99Ms:     quantile(calls.took[lead:], 0.99),
		LateP99Ms: quantile(calls.late[lead:], 0.99),
	}, nil
}

// calls has the times of all calls, by their place in the row.
type calls struct {
	start   time.Time
	every   time.Duration
	ended   int
	refused int             // of those that ended
	took    []time.Duration // from when a call was due to its end; below 0 if it did not end
	late    []time.Duration // from when a call was due to its start; below 0 if it was held back
}

func newCalls(count int, rate float64) *calls {
	calls := &calls{every: time.Duration(float64(time.Second) / rate)}
	calls.took = slices.Repeat([]time.Duration{-1}, count)
	calls.late = slices.Repeat([]time.Duration{-1}, count)
	return calls
}

func (calls *calls) now() time.Duration {
	return time.Since(calls.start)
}

func (calls *calls) due(index int) time.Duration {
	return time.Duration(index) * calls.every
}

// good is the number of calls that were served before their deadline.
func (calls *calls) good(deadlineMs float64) int {
	good := 0
	for _, took := range calls.took {
		if took >= 0 && (deadlineMs == 0 || float64(took) <= deadlineMs*float64(time.Millisecond)) {
			good++
		}
	}
	return good
}

// quantile is in milliseconds, of those times that are not below 0.
func quantile(times []time.Duration, share float64) float64 {
	sorted := slices.DeleteFunc(slices.Clone(times), func(each time.Duration) bool { return each < 0 })
	if len(sorted) == 0 {
		return 0
	}
	slices.Sort(sorted)
	return float64(sorted[int(float64(len(sorted)-1)*share)]) / float64(time.Millisecond)
}
