// Package llama runs shards of Llama 2 models: consecutive units (unit 0 the
// token embedding, then the decoder blocks, last the output head), with the KV
// caches of the sequences in flight.
package llama
