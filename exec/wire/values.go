package wire

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// asFrames tells whether values lie in memory as they do in frames.
var asFrames = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// bytesOf returns the memory of values.
func bytesOf(values []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values))
}

// putValues writes values to data as frames have them.
func putValues(data []byte, values []float32) {
	if asFrames {
		copy(data, bytesOf(values))
		return
	}
	for i, v := range values {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(v))
	}
}

// fixValues makes values of what was read from a frame into their memory.
func fixValues(values []float32) {
	if asFrames {
		return
	}
	for i, v := range values {
		raw := math.Float32bits(v)
		values[i] = math.Float32frombits(raw>>24 | raw>>8&0xff00 | raw<<8&0xff0000 | raw<<24)
	}
}
