package wire

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/mem"
)

// ChunkBytes is the size of a tensor's chunks; the last may be shorter.
const ChunkBytes = 1 << 20

// A chunkFrame is a message of Supply and Fetch: a byte that tells whether the
// chunk is there, and its bytes, raw.
type chunkFrame struct {
	payload mem.Buffer // on the way out; may be nil
	data    []byte     // on the way in; nil: the other side does not have it
}

// SendChunk sends a copy of data; nil says that the chunk is not here.
func SendChunk(s Stream, data []byte) error {
	var f chunkFrame
	if data != nil {
		pool := mem.DefaultBufferPool()
		buf := pool.Get(len(data))
		copy(*buf, data)
		f.payload = mem.NewBuffer(buf, pool)
	}
	return s.SendMsg(&f)
}

// ReceiveChunk returns the next chunk, nil if the other side does not have it.
func ReceiveChunk(s Stream) ([]byte, error) {
	var f chunkFrame
	err := s.RecvMsg(&f)
	return f.data, err
}

func (f *chunkFrame) marshal() mem.BufferSlice {
	if f.payload == nil {
		return mem.BufferSlice{mem.SliceBuffer{0}}
	}
	return mem.BufferSlice{mem.SliceBuffer{1}, f.payload}
}

func (f *chunkFrame) unmarshal(data mem.BufferSlice) error {
	n := data.Len() - 1
	if n < 0 {
		return errors.New("chunk is empty: want a byte that tells whether it is there")
	}
	if n > ChunkBytes {
		return fmt.Errorf("chunk of %d bytes: at most %d", n, ChunkBytes)
	}
	all := data.Materialize()
	if f.data = nil; all[0] != 0 {
		f.data = all[1:]
	}
	return nil
}
