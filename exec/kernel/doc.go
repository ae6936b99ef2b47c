// Package kernel holds the arithmetic of a Llama 2 shard: matrix products over
// weights in every stored precision, normalisation, rotary embeddings,
// attention, the gated feed-forward's activation. Slices in, slices out; it
// knows neither models nor connections.
//
// Weights are multiplied with activations in a companion form: f32 for F32 and
// F16 weights, bf16 for BF16, blocks of 32 8-bit integers for the quantised
// ones. Every path uses the same form, so that two paths differ only by the
// order of their sums.
//
// An output element is always summed in the same order, whatever the number of
// rows multiplied at once and however the work is divided among threads.
package kernel

//go:generate go -C ../../tools run ./kernelgen -isa avx2 -out ../exec/kernel/avx2_amd64.s -stubs ../exec/kernel/avx2_amd64.go -pkg kernel
//go:generate go -C ../../tools run ./kernelgen -isa avx512 -out ../exec/kernel/avx512_amd64.s -stubs ../exec/kernel/avx512_amd64.go -pkg kernel
//go:generate go -C ../../tools run ./kernelgen -isa neon -out ../exec/kernel/neon_arm64.s -stubs ../exec/kernel/neon_arm64.go
