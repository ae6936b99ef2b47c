package weights

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// A Digest is a SHA-256.
type Digest [sha256.Size]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// An Object is the bytes of a tensor: ID is the SHA-256 of its size and of its
// chunks' digests.
type Object struct {
	ID     Digest
	Size   int64
	Chunks []Digest // of wire.ChunkBytes each; the last may be shorter
}

// describe hashes the bytes of a tensor.
func describe(data []byte) Object {
	o := Object{Size: int64(len(data))}
	for at := 0; at < len(data); at += wire.ChunkBytes {
		o.Chunks = append(o.Chunks, sha256.Sum256(data[at:min(at+wire.ChunkBytes, len(data))]))
	}
	o.ID = o.identity()
	return o
}

func (o *Object) identity() Digest {
	h := sha256.New()
	h.Write([]byte("edgeshard tensor 1\n"))
	_ = binary.Write(h, binary.LittleEndian, o.Size)
	for _, c := range o.Chunks {
		h.Write(c[:])
	}
	return Digest(h.Sum(nil))
}

// span returns where a chunk is in its object.
func (o *Object) span(chunk int) (from, to int64) {
	from = int64(chunk) * wire.ChunkBytes
	return from, min(from+wire.ChunkBytes, o.Size)
}

// objectOf reads a tensor's description as it comes over the wire.
func objectOf(t *wire.TensorWeights) (Object, error) {
	p := models.Precision(t.GetPrecision())
	if int(t.GetPrecision()) >= len(models.Precisions()) {
		return Object{}, fmt.Errorf("tensor %.99q: unknown precision %d", t.GetName(), t.GetPrecision())
	}
	const most = 1 << 31
	if t.GetRows() == 0 || t.GetRows() >= most || t.GetCols() == 0 || t.GetCols() >= most || t.GetCols()%uint32(p.BlockElements()) != 0 {
		return Object{}, fmt.Errorf("tensor %.99q: no tensor of %v is %d×%d", t.GetName(), p, t.GetRows(), t.GetCols())
	}
	elements := uint64(t.GetRows()) * uint64(t.GetCols())
	if elements >= 1<<48 {
		return Object{}, fmt.Errorf("tensor %.99q: %d elements: want fewer than 2^48", t.GetName(), elements)
	}
	o := Object{Size: p.Bytes(int64(elements))}
	n := (o.Size + wire.ChunkBytes - 1) / wire.ChunkBytes
	if int64(len(t.GetChunks())) != n*sha256.Size {
		return Object{}, fmt.Errorf("tensor %.99q: %d bytes of digests: want %d for its %d chunks", t.GetName(), len(t.GetChunks()), n*sha256.Size, n)
	}
	for c := t.GetChunks(); len(c) > 0; c = c[sha256.Size:] {
		o.Chunks = append(o.Chunks, Digest(c[:sha256.Size]))
	}
	o.ID = o.identity()
	return o, nil
}
