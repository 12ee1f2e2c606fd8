"""gRPC services of peers and of the ordering endpoint, and what all services share."""
