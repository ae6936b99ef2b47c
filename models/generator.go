package models

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// A generator fills dst, whole blocks of its precision, with random weights.
type generator func(dst []byte, rng *rand.PCG)

// newGenerator makes weights of mean 0 and variance 1/cols, so that a matrix
// of that row length keeps the variance of a vector it multiplies.
func newGenerator(p Precision, cols int) generator {
	sigma := 1 / math.Sqrt(float64(cols))
	switch p {
	case F32:
		return floats32(0, sigma)
	case F16:
		return floats16(sigma, half)
	case BF16:
		return floats16(sigma, brainFloat)
	case Q8_0:
		return blocksQ8(sigma)
	case Q4_0:
		return blocksQ4(sigma)
	case Q4_K:
		return blocksK(sigma, 144, 7.5, 4.6098) // √((16²−1)/12)
	case Q5_K:
		return blocksK(sigma, 176, 15.5, 9.2331) // √((32²−1)/12)
	case Q6_K:
		return blocksQ6K(sigma)
	}
	panic("models: no generator for " + p.String())
}

// normalTable has 2^12 quantiles of the normal distribution.
func normalTable[T any](convert func(z float64) T) *[4096]T {
	var table [4096]T
	for i := range table {
		u := (float64(i) + 0.5) / float64(len(table))
		table[i] = convert(math.Sqrt2 * math.Erfinv(2*u-1))
	}
	return &table
}

func floats32(mean, sigma float64) generator {
	table := normalTable(func(z float64) uint32 { return math.Float32bits(float32(mean + sigma*z)) })
	return func(dst []byte, rng *rand.PCG) {
		for ; len(dst) >= 8; dst = dst[8:] {
			r := rng.Uint64()
			binary.LittleEndian.PutUint64(dst, uint64(table[r%4096])|uint64(table[r>>52])<<32)
		}
		if len(dst) > 0 {
			binary.LittleEndian.PutUint32(dst, table[rng.Uint64()>>52])
		}
	}
}

func floats16(sigma float64, convert func(float64) uint16) generator {
	table := normalTable(func(z float64) uint64 { return uint64(convert(sigma * z)) })
	return func(dst []byte, rng *rand.PCG) {
		for ; len(dst) >= 8; dst = dst[8:] {
			r := rng.Uint64()
			binary.LittleEndian.PutUint64(dst, table[r%4096]|table[r>>16%4096]<<16|table[r>>32%4096]<<32|table[r>>52]<<48)
		}
		for ; len(dst) > 0; dst = dst[2:] {
			binary.LittleEndian.PutUint16(dst, uint16(table[rng.Uint64()>>52]))
		}
	}
}

// blocksQ8 makes the quants odd, from -127 to 127: symmetric, and never the
// -128 that quantisers do not write.
func blocksQ8(sigma float64) generator {
	const odd, rms = 0x0101010101010101, 73.898 // √((128²−1)/3)
	scale := half(sigma / rms)
	return func(dst []byte, rng *rand.PCG) {
		for ; len(dst) > 0; dst = dst[34:] {
			binary.LittleEndian.PutUint16(dst, scale)
			for i := 2; i < 34; i += 8 {
				binary.LittleEndian.PutUint64(dst[i:], rng.Uint64()|odd)
			}
		}
	}
}

// blocksQ4 gives half of the blocks a negative scale, because quants from -8 to
// 7 have a mean of -1/2, which would add up over a row.
func blocksQ4(sigma float64) generator {
	const rms = 4.6368 // √(Σ n²/16), n from -8 to 7
	scale := half(sigma / rms)
	return func(dst []byte, rng *rand.PCG) {
		for ; len(dst) > 0; dst = dst[18:] {
			sign := uint16(rng.Uint64()>>63) << 15
			binary.LittleEndian.PutUint16(dst, scale|sign)
			binary.LittleEndian.PutUint64(dst[2:], rng.Uint64())
			binary.LittleEndian.PutUint64(dst[10:], rng.Uint64())
		}
	}
}

// blocksK makes superblocks of Q4_K or Q5_K, size bytes each, whose quants have
// that mean and deviation. Each block's minimum is its scale times the mean.
func blocksK(sigma float64, size int, mean, deviation float64) generator {
	const rms = 48.389 // √(Σ s²/32), scales s from 32 to 63
	scale := half(sigma / (rms * deviation))
	least := half(mean * float64(scale) / (1 << 24))
	if scale >= 1<<10 {
		least = half(mean * sigma / (rms * deviation))
	}
	return func(dst []byte, rng *rand.PCG) {
		for ; len(dst) > 0; dst = dst[size:] {
			binary.LittleEndian.PutUint16(dst, scale)
			binary.LittleEndian.PutUint16(dst[2:], least)
			putScales(dst[4:16], rng.Uint64())
			for i := 16; i < size; i += 8 {
				binary.LittleEndian.PutUint64(dst[i:], rng.Uint64())
			}
		}
	}
}

// putScales packs 8 scales of 6 bits, from 32 to 63, and minima equal to them.
func putScales(dst []byte, r uint64) {
	for i := range 4 {
		first, last := byte(r>>(5*i))&31|32, byte(r>>(20+5*i))&31|32
		dst[i] = first | last>>4<<6
		dst[i+4] = first | last>>4<<6
		dst[i+8] = last&15 | last<<4
	}
}

// blocksQ6K gives each block of 16 a scale of either sign, because quants from
// -32 to 31 have a mean of -1/2.
func blocksQ6K(sigma float64) generator {
	const rms = 97.270 * 18.480 // √(Σ s²/64), |s| from 64 to 127, times √(Σ q²/64)
	scale := half(sigma / rms)
	return func(dst []byte, rng *rand.PCG) {
		for ; len(dst) > 0; dst = dst[210:] {
			for i := 0; i < 192; i += 8 {
				binary.LittleEndian.PutUint64(dst[i:], rng.Uint64())
			}
			for i := 192; i < 208; i += 8 {
				putSigned(dst[i:], rng.Uint64())
			}
			binary.LittleEndian.PutUint16(dst[208:], scale)
		}
	}
}

// putSigned writes 8 integers of magnitude 64 to 127.
func putSigned(dst []byte, r uint64) {
	for i := range 8 {
		v := int8(r>>(8*i)&63 | 64)
		if r>>(8*i)&64 != 0 {
			v = -v
		}
		dst[i] = byte(v)
	}
}

// half rounds v, which must be in its range, to an IEEE 754 half.
func half(v float64) uint16 {
	sign := uint16(math.Float64bits(v) >> 63 << 15)
	v = math.Abs(v)
	if v < 0x1p-14 { // subnormal, in units of 2^-24; rounding may carry into the normal ones
		return sign | uint16(math.RoundToEven(v*(1<<24)))
	}
	fraction, exp := math.Frexp(v)
	return sign | uint16((exp+13)<<10+int(math.RoundToEven(fraction*(1<<11))))
}

// brainFloat rounds v to the upper half of a float32.
func brainFloat(v float64) uint16 {
	b := math.Float32bits(float32(v))
	return uint16((b + 0x7FFF + b>>16&1) >> 16)
}
