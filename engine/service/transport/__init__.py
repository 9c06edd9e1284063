"""The gRPC protocol over HTTP/2 in clear text: frames, flow control, calls (see engine/README.md, Transport)."""
