package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"slices"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// A held connection keeps what is written, to be read from it.
type held struct {
	net.Conn
	bytes.Buffer
}

func (h *held) Read(p []byte) (int, error)  { return h.Buffer.Read(p[:min(len(p), 1023)]) } // in pieces
func (h *held) Write(p []byte) (int, error) { return h.Buffer.Write(p) }

// laneOf returns a lane on which data has come.
func laneOf(data []byte) *Lane {
	h := &held{}
	h.Write(data)
	return newLane(h, "")
}

func anyOf(n int) func(*Pass) (int, error) { return func(*Pass) (int, error) { return n, nil } }

func TestLaneRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLane(&held{}, "")
		for range rapid.IntRange(1, 3).Draw(t, "messages") {
			n := rapid.SampledFrom([]int{0, 1, 5, 1000, smallFrame/4 - 1, smallFrame / 4, smallFrame/4 + 1, 3 * smallFrame}).Draw(t, "n")
			values := make([]float32, n)
			for i := range values {
				values[i] = math.Float32frombits(uint32(i) * 2654435761) // NaNs among them
			}
			pass := &Pass{MicroBatch: rapid.Uint32().Draw(t, "id"), Sequences: []*Sequence{{Request: 1, New: 2}}}
			if err := l.Send(pass, values); err != nil {
				t.Fatal(err)
			}
			got, back, err := l.Receive(anyOf(n), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(got, pass) || len(back) != n {
				t.Fatalf("got %v and %d values: want %v and %d", got, len(back), pass, n)
			}
			for i := range values {
				if math.Float32bits(values[i]) != math.Float32bits(back[i]) {
					t.Fatalf("value %d: %x: want %x", i, math.Float32bits(back[i]), math.Float32bits(values[i]))
				}
			}
		}
		if err := l.Goodbye(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := l.Receive(anyOf(0), nil); !errors.Is(err, io.EOF) {
			t.Fatalf("error %v after a goodbye: want EOF", err)
		}
	})
}

// frame returns the bytes of a frame that announces a header and values.
func frame(header, values uint32, rest ...byte) []byte {
	return append(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, header), values), rest...)
}

func TestReceiveRefuses(t *testing.T) {
	header, err := proto.Marshal(&Pass{Step: 1})
	if err != nil {
		t.Fatal(err)
	}
	n := uint32(len(header))
	with := func(announced uint32, values int) []byte {
		return append(frame(n, announced, header...), make([]byte, 4*values)...)
	}
	for name, data := range map[string][]byte{
		"nothing":               {},
		"too short":             {1, 2},
		"lying header":          frame(1<<31, 0, 1, 2, 3),
		"header beyond the end": frame(5, 0, 1, 2, 3),
		"header of garbage":     frame(3, 0, 0xff, 0xff, 0xff),
		"values alone":          frame(0, 1, 0, 0, 0, 0),
		"too many values":       with(9, 9),
		"too few values":        with(7, 7),
		"fewer than announced":  with(8, 7),
		"a third of a value":    append(with(8, 7), 1),
	} {
		if _, _, err := laneOf(data).Receive(anyOf(8), nil); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: error %v: want one that is no orderly end", name, err)
		}
	}
	unwanted := errors.New("unwanted")
	refuse := func(*Pass) (int, error) { return 1 << 40, unwanted }
	if _, _, err := laneOf(with(8, 8)).Receive(refuse, nil); !errors.Is(err, unwanted) {
		t.Errorf("error %v: want %v", err, unwanted)
	}
}

func TestHeaderLimit(t *testing.T) {
	p := &Pass{Release: make([]int64, maxHeader)}
	for i := range p.Release {
		p.Release[i] = math.MaxInt64
	}
	if err := newLane(&held{}, "").Send(p, nil); err == nil {
		t.Error("a header beyond the limit was sent")
	}
}

// FuzzFrame: whatever comes is a frame or an error, and what is a frame comes
// back the same.
func FuzzFrame(f *testing.F) {
	header, err := proto.Marshal(&Pass{Step: 3, Sequences: []*Sequence{{Request: 1, Past: 4, New: 1, Tokens: []uint32{7}}}, Spans: []*Span{{EndNs: 5}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame(uint32(len(header)), 1, append(slices.Clone(header), 0, 0, 128, 63)...))
	f.Add(frame(0, 1, 1, 2, 3, 4))
	f.Add(frame(1<<31, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		most := 0
		if len(data) >= 8 {
			most = int(min(binary.LittleEndian.Uint32(data[4:]), 1<<20))
		}
		pass, values, err := laneOf(data).Receive(anyOf(most), nil)
		if err != nil {
			return
		}
		l := newLane(&held{}, "")
		if err := l.Send(pass, values); err != nil {
			t.Fatal(err)
		}
		again, back, err := l.Receive(anyOf(len(values)), nil)
		if err != nil || !proto.Equal(pass, again) || !bytes.Equal(bytesOf(values), bytesOf(back)) {
			t.Fatalf("frame changed on the way: %v, %v: want %v", err, again, pass)
		}
	})
}

// FuzzChunk: whatever comes as a chunk, it is an error or within the limit.
func FuzzChunk(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0})
	f.Add([]byte{1, 2, 3})
	f.Add(make([]byte, ChunkBytes+2))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c chunkFrame
		err := codec{}.Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, &c)
		if err == nil && (len(c.data) > ChunkBytes || (c.data != nil) != (data[0] != 0)) {
			t.Errorf("%d bytes that begin with %d became %d", len(data), data[0], len(c.data))
		}
	})
}
