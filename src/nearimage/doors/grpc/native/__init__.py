"""gRPC over the HTTP/2 of `doors.grpc.http2`: calls, messages, memory, work, and the sockets at last."""
