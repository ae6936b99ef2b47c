// Package exec runs plans for real: a coordinator drives workers, one for each
// device, which hold shards of the model and pass activations to one another.
// docs/execution.md tells the protocol.
package exec
