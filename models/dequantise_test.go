package models

import (
	"encoding/binary"
	"math"
	"testing"
)

// dequantise reads a tensor by the formats' definitions, bit by bit.
func dequantise(t Tensor) []float64 {
	var out []float64
	u16 := func(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
	size := t.Precision.BlockBytes()
	for b := t.Data; len(b) > 0; b = b[size:] {
		switch t.Precision {
		case F32:
			out = append(out, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		case F16:
			out = append(out, fromHalf(u16(b)))
		case BF16:
			out = append(out, float64(math.Float32frombits(uint32(u16(b))<<16)))
		case Q8_0:
			for _, q := range b[2:34] {
				out = append(out, fromHalf(u16(b))*float64(int8(q)))
			}
		case Q4_0:
			for i := range 32 {
				q := int(b[2+i%16]) >> (i / 16 * 4) & 15
				out = append(out, fromHalf(u16(b))*float64(q-8))
			}
		case Q4_K, Q5_K:
			out = append(out, dequantiseK(b, t.Precision == Q5_K)...)
		case Q6_K:
			out = append(out, dequantiseQ6K(b)...)
		}
	}
	return out
}

func dequantiseK(b []byte, five bool) []float64 {
	d, least := fromHalf(binary.LittleEndian.Uint16(b)), fromHalf(binary.LittleEndian.Uint16(b[2:]))
	scales, quants, out := b[4:16], b[16:], make([]float64, 256)
	if five {
		quants = b[48:]
	}
	for i := range out {
		block := i / 32
		q := int(quants[i/64*32+i%32]) >> (block % 2 * 4) & 15
		if five {
			q |= int(b[16+i%32]) >> block & 1 << 4
		}
		scale, low := scales[block%4], scales[4+block%4]
		s, m := int(scale&63), int(low&63)
		if block >= 4 {
			s, m = int(scales[4+block]&15|scale>>6<<4), int(scales[4+block]>>4|low>>6<<4)
		}
		out[i] = d*float64(s*q) - least*float64(m)
	}
	return out
}

func dequantiseQ6K(b []byte) []float64 {
	out := make([]float64, 256)
	for i := range out {
		half, in := i/128, i%128
		q := int(b[64*half+in%64]) >> (in / 64 * 4) & 15
		q |= int(b[128+32*half+in%32]) >> (in / 32 * 2) & 3 << 4
		out[i] = fromHalf(binary.LittleEndian.Uint16(b[208:])) * float64(int8(b[192+i/16])) * float64(q-32)
	}
	return out
}

func fromHalf(h uint16) float64 {
	sign := 1 - 2*float64(h>>15)
	exp, fraction := int(h>>10&31), float64(h&1023)
	if exp == 0 {
		return sign * math.Ldexp(fraction, -24)
	}
	return sign * math.Ldexp(1024+fraction, exp-25)
}

// TestHalf: every finite half survives, and what lies between two goes to the
// nearer one.
func TestHalf(t *testing.T) {
	for h := range uint16(0x7C00) {
		v := fromHalf(h)
		if got := half(v); got != h {
			t.Fatalf("half(%g) = %#x, want %#x", v, got, h)
		}
		if got := half(-v); got != h|0x8000 {
			t.Fatalf("half(%g) = %#x, want %#x", -v, got, h|0x8000)
		}
		if h == 0x7BFF {
			break
		}
		next := fromHalf(h + 1)
		if got := half(v + 0.4*(next-v)); got != h {
			t.Fatalf("just above %g: %#x, want %#x", v, got, h)
		}
		if got := half(v + 0.6*(next-v)); got != h+1 {
			t.Fatalf("just below %g: %#x, want %#x", next, got, h+1)
		}
	}
}
