// Command interop asks a gRPC server with grpc-go: "load" measures it, every other word is one thing that must work.
//
//	interop -addr 127.0.0.1:50051 load -method /package.Service/Method -connections 4 -seconds 5
//	interop -addr 127.0.0.1:50051 check
package main

import (
	"flag"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
)

// bytesCodec sends and receives messages as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error) { return *(v.(*[]byte)), nil }
func (bytesCodec) Unmarshal(data []byte, v any) error {
	*(v.(*[]byte)) = append([]byte(nil), data...)
	return nil
}
func (bytesCodec) Name() string { return "proto" }

// protobufCodec is the usual one.
type protobufCodec struct{}

func (protobufCodec) Marshal(v any) ([]byte, error)      { return proto.Marshal(v.(proto.Message)) }
func (protobufCodec) Unmarshal(data []byte, v any) error { return proto.Unmarshal(data, v.(proto.Message)) }
func (protobufCodec) Name() string                       { return "proto" }

const largest = 104_858_000

func dial(addr, authority string) *grpc.ClientConn {
	secret := insecure.NewCredentials()
	if authority != "" {
		var err error
		if secret, err = credentials.NewClientTLSFromFile(authority, "localhost"); err != nil {
			panic(err)
		}
	}
	connection, err := grpc.NewClient(addr, grpc.WithTransportCredentials(secret), grpc.WithDefaultCallOptions(
		grpc.ForceCodec(bytesCodec{}), grpc.MaxCallRecvMsgSize(largest), grpc.MaxCallSendMsgSize(largest)))
	if err != nil {
		panic(err)
	}
	return connection
}

func main() {
	addr := flag.String("addr", "127.0.0.1:50051", "where the server listens")
	authority := flag.String("ca", "", "a PEM file with the certificate to trust; without it, plaintext")
	flag.Parse()
	switch flag.Arg(0) {
	case "load":
		load(*addr, *authority, flag.Args()[1:])
	case "check":
		check(*addr, *authority)
	default:
		fmt.Fprintln(os.Stderr, "say load or check")
		os.Exit(2)
	}
}
