"""HTTP/2 for servers, without I/O: bytes in, events and bytes out (RFC 9113, RFC 7541). Knows nothing of gRPC."""
