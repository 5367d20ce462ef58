"""HTTP/1.1 for servers: what is asked, without I/O, and the sockets that carry it (RFC 9110, RFC 9112). Knows nothing of REST."""
