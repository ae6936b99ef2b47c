package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// Limits of what a message may hold.
const (
	maxMessage = 16 << 20 // bytes of any message
	maxHeader  = 1 << 20  // bytes of a frame's header
	maxValues  = 1 << 18  // values of a frame, 1 MiB; more go in further frames
)

// A frame is a message of a Forward stream:
//
//	uint32  length of the header; 0: the frame continues the one before it
//	[]byte  header, a Pass
//	[]f32   values
//
// in little-endian order. Values stay raw on the way, never protobuf bytes.
type frame struct {
	pass    *Pass      // nil in a continuation
	payload mem.Buffer // encoded values, on the way out; may be nil
	values  []float32  // on the way in
}

// codec writes frames raw and all other messages as protobuf.
type codec struct{}

var _ encoding.CodecV2 = codec{}

func (codec) Name() string { return "edgeshard" }

// Marshal takes over the reference to a frame's payload.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	switch m := v.(type) {
	case *frame:
		return m.marshal()
	case *chunkFrame:
		return m.marshal(), nil
	case proto.Message:
		data, err := proto.Marshal(m)
		return mem.BufferSlice{mem.SliceBuffer(data)}, err
	}
	return nil, fmt.Errorf("cannot marshal a %T", v)
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch m := v.(type) {
	case *frame:
		return m.unmarshal(data)
	case *chunkFrame:
		return m.unmarshal(data)
	case proto.Message:
		buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
		defer buf.Free()
		return proto.Unmarshal(buf.ReadOnlyData(), m)
	}
	return fmt.Errorf("cannot unmarshal a %T", v)
}

func (f *frame) marshal() (mem.BufferSlice, error) {
	head := make([]byte, 4, 256)
	if f.pass != nil {
		var err error
		if head, err = (proto.MarshalOptions{}).MarshalAppend(head, f.pass); err != nil {
			return nil, err
		}
		if len(head)-4 > maxHeader {
			return nil, fmt.Errorf("frame header of %d bytes: at most %d", len(head)-4, maxHeader)
		}
		binary.LittleEndian.PutUint32(head, uint32(len(head)-4))
	}
	out := mem.BufferSlice{mem.SliceBuffer(head)}
	if f.payload != nil {
		out = append(out, f.payload)
	}
	return out, nil
}

func (f *frame) unmarshal(data mem.BufferSlice) error {
	r := data.Reader()
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return errors.New("frame is shorter than its length field")
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > maxHeader || int(n) > r.Remaining() {
		return fmt.Errorf("frame header of %d bytes: at most %d, and %d are there", n, maxHeader, r.Remaining())
	}
	f.pass = nil
	if n > 0 {
		head := make([]byte, n)
		if _, err := io.ReadFull(r, head); err != nil {
			return fmt.Errorf("frame header: %w", err)
		}
		f.pass = new(Pass)
		if err := proto.Unmarshal(head, f.pass); err != nil {
			return fmt.Errorf("frame header: %w", err)
		}
	}
	return f.readValues(r)
}

// readValues appends what is left of a frame to its values.
func (f *frame) readValues(r *mem.Reader) error {
	if n := r.Remaining(); n%4 != 0 || n > 4*maxValues {
		return fmt.Errorf("frame of %d value bytes: want a multiple of 4, at most %d", n, 4*maxValues)
	}
	had := len(f.values)
	f.values = slices.Grow(f.values, r.Remaining()/4)[:had+r.Remaining()/4]
	fresh := f.values[had:]
	if _, err := io.ReadFull(r, bytesOf(fresh)); err != nil {
		return fmt.Errorf("frame values: %w", err)
	}
	fixValues(fresh)
	return nil
}

// encodeValues copies values into a buffer of the pool.
func encodeValues(values []float32) mem.Buffer {
	if len(values) == 0 {
		return nil
	}
	pool := mem.DefaultBufferPool()
	data := pool.Get(4 * len(values))
	putValues(*data, values)
	return mem.NewBuffer(data, pool)
}
