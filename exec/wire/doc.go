// Package wire is the transport of the executor: the gRPC service of a worker,
// lanes that carry passes from worker to worker, and mutual TLS.
package wire

//go:generate sh -c "protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative --plugin=$(go tool -modfile=../../tools/go.mod -n protoc-gen-go) --plugin=$(go tool -modfile=../../tools/go.mod -n protoc-gen-go-grpc) wire.proto"

// Protocol is the version of the protocol; both sides must speak the same.
const Protocol = 3
