package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// load asks one method again and again, one request at a time on each connection, and prints requests per second and latencies as JSON.
func load(addr, authority string, arguments []string) {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	method := flags.String("method", "", "the full name")
	connections := flags.Int("connections", 1, "how many connections")
	streams := flags.Int("streams", 1, "requests at once on each connection")
	seconds := flags.Float64("seconds", 5, "how long")
	file := flags.String("request", "", "a file with the message; without it, an empty one")
	deadline := flags.Duration("deadline", 0, "of each request; 0 for none")
	_ = flags.Parse(arguments)
	request := []byte{}
	if *file != "" {
		var err error
		if request, err = os.ReadFile(*file); err != nil {
			panic(err)
		}
	}
	var pool []*grpc.ClientConn
	for range *connections {
		pool = append(pool, dial(addr, authority))
	}
	latencies := make([][]float64, *connections**streams)
	failures := make([]int, *connections**streams)
	begin := time.Now()
	end := begin.Add(time.Duration(*seconds * float64(time.Second)))
	var all sync.WaitGroup
	for asker := range latencies {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				began := time.Now()
				if err := ask(pool[asker%len(pool)], *method, request, *deadline); err != nil {
					failures[asker]++
				}
				latencies[asker] = append(latencies[asker], time.Since(began).Seconds()*1e3)
			}
		}()
	}
	all.Wait()
	report(latencies, failures, time.Since(begin).Seconds())
}

func ask(connection *grpc.ClientConn, method string, request []byte, deadline time.Duration) error {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if deadline > 0 {
		ctx, cancel = context.WithTimeout(ctx, deadline)
	}
	defer cancel()
	var reply []byte
	return connection.Invoke(ctx, method, &request, &reply)
}

func report(latencies [][]float64, failures []int, seconds float64) {
	var sorted []float64
	failed := 0
	for asker := range latencies {
		sorted = append(sorted, latencies[asker]...)
		failed += failures[asker]
	}
	sort.Float64s(sorted)
	at := func(share float64) float64 { return sorted[int(share*float64(len(sorted)-1))] }
	text, _ := json.Marshal(map[string]any{
		"requests": len(sorted), "per_s": float64(len(sorted)) / seconds, "p50_ms": at(0.5), "p99_ms": at(0.99), "failed": failed,
	})
	fmt.Println(string(text))
}
