"""gRPC over HTTP/2 in the event loop, as much of HTTP/2 as gRPC needs (RFC 9113, RFC 7541)."""
