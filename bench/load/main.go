// load replays recorded requests over a number of connections and says how long each took, as one line of JSON.
//
//	load -address 127.0.0.1:50051 -requests FILE [-grpc] [-connections 4] [-seconds 5 | -once]
//
// FILE holds records one behind the other: three lengths (uint32, little-endian), then method, path and body. With -grpc the bodies are messages, sent
// over HTTP/2 without TLS; else they are JSON over HTTP/1.1. Every connection has one request under way at a time. Only the standard library is needed.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

type request struct {
	method, path string
	body         []byte
}

func main() {
	address := flag.String("address", "127.0.0.1:50051", "host:port of the server")
	file := flag.String("requests", "", "the recorded requests")
	grpc := flag.Bool("grpc", false, "the bodies are gRPC messages")
	connections := flag.Int("connections", 1, "connections, each with one request at a time")
	seconds := flag.Float64("seconds", 5, "how long to go on, from the first request again after the last")
	once := flag.Bool("once", false, "send every request once instead")
	flag.Parse()
	requests, err := read(*file, *grpc)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	run := &run{address: *address, grpc: *grpc, requests: requests, once: *once}
	started := time.Now()
	run.until = started.Add(time.Duration(*seconds * float64(time.Second)))
	took := make([][]float64, *connections)
	var all sync.WaitGroup
	for n := range *connections {
		all.Add(1)
		go func() { defer all.Done(); took[n] = run.connection() }()
	}
	all.Wait()
	run.tell(took, time.Since(started).Seconds())
}

func read(name string, grpc bool) ([]request, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var found []request
	for len(data) > 0 {
		var parts [3][]byte
		lengths, rest := data[:12], data[12:]
		for i := range parts {
			n := binary.LittleEndian.Uint32(lengths[4*i:])
			parts[i], rest = rest[:n], rest[n:]
		}
		body := parts[2]
		if grpc { // one byte: not compressed; four: the length
			body = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
		}
		found = append(found, request{string(parts[0]), string(parts[1]), body})
		data = rest
	}
	if len(found) == 0 {
		return nil, errors.New("no requests in " + name)
	}
	return found, nil
}

type run struct {
	address  string
	grpc     bool
	requests []request
	once     bool
	until    time.Time
	next     atomic.Int64
	failed   atomic.Int64
	received atomic.Int64
	mistake  atomic.Value
}

// connection sends requests one after the other over a connection of its own, and returns how many milliseconds each took.
func (r *run) connection() []float64 {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!r.grpc)
	protocols.SetUnencryptedHTTP2(r.grpc)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols, DisableCompression: true, MaxConnsPerHost: 1}}
	var took []float64
	for {
		i := int(r.next.Add(1) - 1)
		if r.once && i >= len(r.requests) || !r.once && time.Now().After(r.until) {
			return took
		}
		started := time.Now()
		if err := r.send(client, r.requests[i%len(r.requests)]); err != nil {
			r.failed.Add(1)
			r.mistake.CompareAndSwap(nil, err.Error())
		}
		took = append(took, time.Since(started).Seconds()*1e3)
	}
}

func (r *run) send(client *http.Client, one request) error {
	sent, err := http.NewRequest(one.method, "http://"+r.address+one.path, bytes.NewReader(one.body))
	if err != nil {
		return err
	}
	if r.grpc {
		sent.Header.Set("Content-Type", "application/grpc")
		sent.Header.Set("TE", "trailers")
	} else if len(one.body) > 0 {
		sent.Header.Set("Content-Type", "application/json")
	}
	reply, err := client.Do(sent)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	r.received.Add(int64(len(body)))
	if status := reply.Header.Get("Grpc-Status") + reply.Trailer.Get("Grpc-Status"); r.grpc && status != "0" {
		return fmt.Errorf("status %s: %s%s", status, reply.Header.Get("Grpc-Message"), reply.Trailer.Get("Grpc-Message"))
	}
	if reply.StatusCode >= 300 {
		return fmt.Errorf("%s: %.200s", reply.Status, body)
	}
	if !r.grpc && bytes.HasPrefix(body, []byte(`{"errors"`)) {
		return fmt.Errorf("%.200s", body)
	}
	return nil
}

func (r *run) tell(took [][]float64, seconds float64) {
	var all []float64
	for _, some := range took {
		all = append(all, some...)
	}
	sort.Float64s(all)
	quantile := func(share float64) float64 { return all[int(share*float64(len(all)-1))] }
	told := map[string]any{
		"requests": len(all), "per_s": float64(len(all)) / seconds, "p50_ms": quantile(.5), "p99_ms": quantile(.99), "worst_ms": quantile(1),
		"failed": r.failed.Load(), "bytes_each": r.received.Load() / int64(len(all)),
	}
	if mistake := r.mistake.Load(); mistake != nil {
		told["mistake"] = mistake
	}
	line, _ := json.Marshal(told)
	fmt.Println(string(line))
}
