package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// check asks for everything that a server must be able to do, prints a line for each, and fails if one is missing.
//
// The methods are those of tests/transport/served.py.
func check(addr, authority string) {
	connection := dial(addr, authority)
	defer connection.Close()
	failed := false
	for _, one := range []struct {
		name string
		run  func(*grpc.ClientConn) error
	}{
		{"unary, from nothing to 20 MB", sizes},
		{"gzip", compressed},
		{"metadata, binary too", withMetadata},
		{"status and message", failing},
		{"unknown method", unknown},
		{"deadline", late},
		{"cancellation", cancelled},
		{"conversation", conversation},
		{"a thousand at once", many},
		{"health", health},
	} {
		began := time.Now()
		err := one.run(connection)
		failed = failed || err != nil
		fmt.Printf("%-30s %v (%d ms)\n", one.name, err, time.Since(began).Milliseconds())
	}
	if failed {
		os.Exit(1)
	}
}

func call(connection *grpc.ClientConn, method string, message []byte, options ...grpc.CallOption) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var reply []byte
	return reply, connection.Invoke(ctx, "/t.T/"+method, &message, &reply, options...)
}

func echoed(connection *grpc.ClientConn, method string, message []byte, options ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var reply []byte
	if err := connection.Invoke(ctx, "/t.T/"+method, &message, &reply, options...); err != nil {
		return err
	}
	if !bytes.Equal(message, reply) {
		return fmt.Errorf("%s: %d bytes became %d", method, len(message), len(reply))
	}
	return nil
}

func sizes(connection *grpc.ClientConn) error {
	for _, size := range []int{0, 1, 16_379, 16_380, 65_530, 65_531, 1_000_000, 20_000_000} {
		message := make([]byte, size)
		rand.New(rand.NewSource(int64(size))).Read(message)
		for _, method := range []string{"Quick", "Slow"} {
			if err := echoed(connection, method, message); err != nil {
				return err
			}
		}
	}
	return nil
}

func compressed(connection *grpc.ClientConn) error {
	for _, method := range []string{"Quick", "Slow"} {
		if err := echoed(connection, method, bytes.Repeat([]byte("again and "), 100_000), grpc.UseCompressor("gzip")); err != nil {
			return err
		}
	}
	return nil
}

func withMetadata(connection *grpc.ClientConn) error {
	ctx := metadata.AppendToOutgoingContext(context.Background(), "trace-bin", string([]byte{0, 255, 10, 13}), "note", "a b, c", "long", strings.Repeat("x", 5_000))
	for range 3 {
		message, reply := []byte("hello"), []byte{}
		if err := connection.Invoke(ctx, "/t.T/Quick", &message, &reply); err != nil {
			return err
		}
	}
	return nil
}

func expect(err error, code codes.Code, text string) error {
	if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), text) {
		return fmt.Errorf("expected %v with %q, got %v", code, text, err)
	}
	return nil
}

func failing(connection *grpc.ClientConn) error {
	_, err := call(connection, "Fail", []byte("missing"))
	return expect(err, codes.NotFound, "100 % of Käse\nis gone")
}

func unknown(connection *grpc.ClientConn) error {
	_, err := call(connection, "Nothing", nil)
	return expect(err, codes.Unimplemented, "Method not found!")
}

func late(connection *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	message, reply := []byte("late"), []byte{}
	if err := expect(connection.Invoke(ctx, "/t.T/Wait", &message, &reply), codes.DeadlineExceeded, ""); err != nil {
		return err
	}
	return echoed(connection, "Quick", []byte("next"))
}

func cancelled(connection *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	message, reply := []byte("given up"), []byte{}
	if err := expect(connection.Invoke(ctx, "/t.T/Wait", &message, &reply), codes.Canceled, ""); err != nil {
		return err
	}
	return echoed(connection, "Quick", []byte("next"))
}

func conversation(connection *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/t.T/Converse")
	if err != nil {
		return err
	}
	for _, size := range []int{1, 100, 70_000, 300_000} {
		message := bytes.Repeat([]byte{byte(size)}, size)
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
		for range 2 {
			var reply []byte
			if err := stream.RecvMsg(&reply); err != nil {
				return err
			}
			if !bytes.Equal(message, reply) {
				return fmt.Errorf("%d bytes became %d", len(message), len(reply))
			}
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var reply []byte
	if err := stream.RecvMsg(&reply); err != io.EOF {
		return fmt.Errorf("expected the end, got %v", err)
	}
	return nil
}

func many(connection *grpc.ClientConn) error {
	var all sync.WaitGroup
	failures := make(chan error, 1_000)
	for n := range 1_000 {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := echoed(connection, []string{"Quick", "Slow"}[n%2], bytes.Repeat([]byte{byte(n)}, n*10)); err != nil {
				failures <- err
			}
		}()
	}
	all.Wait()
	close(failures)
	return <-failures
}

func health(connection *grpc.ClientConn) error {
	for _, service := range []string{"", "weaviate.v1.Weaviate", "anything"} {
		reply := new(grpc_health_v1.HealthCheckResponse)
		request := &grpc_health_v1.HealthCheckRequest{Service: service}
		if err := connection.Invoke(context.Background(), "/grpc.health.v1.Health/Check", request, reply, grpc.ForceCodec(protobufCodec{})); err != nil {
			return err
		}
		if reply.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			return fmt.Errorf("%q is %v", service, reply.Status)
		}
	}
	return nil
}
