package kernel

import "math"

// The dot products of a weight row with an activation row in its companion form.

func dotF32(w []byte, x []float32) (sum float32) {
	for i, v := range x {
		sum += v * math.Float32frombits(le.Uint32(w[4*i:]))
	}
	return sum
}

func dotF16(w []byte, x []float32) (sum float32) {
	for i, v := range x {
		sum += v * F16ToF32(le.Uint16(w[2*i:]))
	}
	return sum
}

func dotBF16(w, x []byte) (sum float32) {
	for ; len(w) > 0; w, x = w[2:], x[2:] {
		sum += BF16ToF32(le.Uint16(w)) * BF16ToF32(le.Uint16(x))
	}
	return sum
}

func dotQ8(w, x []byte) (sum float32) {
	for ; len(w) > 0; w, x = w[34:], x[recordBytes:] {
		var dot int32
		for i, q := range w[2:34] {
			dot += int32(int8(q)) * int32(int8(x[i]))
		}
		sum += float32(dot) * (F16ToF32(le.Uint16(w)) * getF32(x[recordScale:]))
	}
	return sum
}

func dotQ4(w, x []byte) (sum float32) {
	for ; len(w) > 0; w, x = w[18:], x[recordBytes:] {
		dot := int32(le.Uint32(x[recordBiasQ4:]))
		for i, q := range w[2:18] {
			dot += int32(q&15)*int32(int8(x[i])) + int32(q>>4)*int32(int8(x[i+16]))
		}
		sum += float32(dot) * (F16ToF32(le.Uint16(w)) * getF32(x[recordScale:]))
	}
	return sum
}
