package kernel

// superElements are the elements of a superblock of Q4_K, Q5_K or Q6_K.
const superElements = 256

// A superblock is one of these, unpacked: element i is scale·(q-offset) - min,
// with the scale and the minimum of its block of size elements.
type superblock struct {
	size, offset int
	q            [superElements]uint8
	scale, min   [16]float32
}

// An unpacker reads a superblock of one format.
type unpacker func(s *superblock, b []byte)

// unpackQ4K reads f16 scales of the scales and of the minima, 12 bytes of scales
// and minima, and pairs of blocks in the low and high nibbles of 32 bytes.
func unpackQ4K(s *superblock, b []byte) {
	s.unpackScales(b)
	for i := range s.q {
		s.q[i] = b[16+i/64*32+i%32] >> (i / 32 % 2 * 4) & 15
	}
}

// unpackQ5K: as Q4_K, with 32 bytes of fifth bits before the nibbles; bit n
// of byte i belongs to element i of block n.
func unpackQ5K(s *superblock, b []byte) {
	s.unpackScales(b)
	for i := range s.q {
		s.q[i] = b[48+i/64*32+i%32]>>(i/32%2*4)&15 | b[16+i%32]>>(i/32)&1<<4
	}
}

func (s *superblock) unpackScales(b []byte) {
	s.size, s.offset = 32, 0
	d, least := F16ToF32(le.Uint16(b)), F16ToF32(le.Uint16(b[2:]))
	for i := range 8 {
		scale, low := scaleAndMin(b[4:16], i)
		s.scale[i], s.min[i] = d*float32(scale), least*float32(low)
	}
}

// scaleAndMin returns the 6-bit scale and minimum of block i: those of the first
// four blocks lie whole in bytes, whose upper two bits complete the last four's.
func scaleAndMin(b []byte, i int) (scale, low uint8) {
	if i < 4 {
		return b[i] & 63, b[4+i] & 63
	}
	return b[4+i]&15 | b[i-4]>>6<<4, b[4+i]>>4 | b[i]>>6<<4
}

// unpackQ6K reads 128 bytes of nibbles, 64 of upper bits, 16 scales and the
// f16 scale of the scales. Each half of 128 elements has four blocks of 32: two
// in the low nibbles of 32 bytes, two in their high ones.
func unpackQ6K(s *superblock, b []byte) {
	s.size, s.offset = 16, 32
	d := F16ToF32(le.Uint16(b[208:]))
	for i := range s.scale {
		s.scale[i], s.min[i] = d*float32(int8(b[192+i])), 0
	}
	for i := range s.q {
		half, in := i/128, i%128
		s.q[i] = b[64*half+in%64]>>(in/64*4)&15 | b[128+32*half+in%32]>>(in/32*2)&3<<4
	}
}

func dequantizeSuper(unpack unpacker) func(dst []float32, b []byte) {
	return func(dst []float32, b []byte) {
		var s superblock
		unpack(&s, b)
		for i, q := range s.q {
			dst[i] = s.scale[i/s.size]*float32(int(q)-s.offset) - s.min[i/s.size]
		}
	}
}

func dotSuper(unpack unpacker, size int, w, x []byte) (sum float32) {
	var s superblock
	for ; len(w) > 0; w, x = w[size:], x[superElements/blockElements*recordBytes:] {
		unpack(&s, w)
		for i := 0; i < superElements; i += s.size {
			record := x[i/blockElements*recordBytes:]
			var dot int32
			for j, q := range s.q[i : i+s.size] {
				dot += (int32(q) - int32(s.offset)) * int32(int8(record[i%blockElements+j]))
			}
			sum += float32(dot) * (s.scale[i/s.size] * getF32(record[recordScale:]))
			if s.size == blockElements {
				sum -= s.min[i/s.size] * getF32(record[recordSum:])
			}
		}
	}
	return sum
}
