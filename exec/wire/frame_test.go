package wire

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// A loop is a stream whose messages come back to it, through the codec.
type loop struct{ messages [][]byte }

func (l *loop) SendMsg(m any) error {
	data, err := codec{}.Marshal(m)
	if err != nil {
		return err
	}
	l.messages = append(l.messages, data.Materialize())
	data.Free()
	return nil
}

func (l *loop) RecvMsg(m any) error {
	if len(l.messages) == 0 {
		return io.EOF
	}
	data := l.messages[0]
	l.messages = l.messages[1:]
	return codec{}.Unmarshal(inPieces(data), m)
}

// inPieces cuts data at places that fall within values.
func inPieces(data []byte) mem.BufferSlice {
	var s mem.BufferSlice
	for piece := range slices.Chunk(data, 1023) {
		s = append(s, mem.SliceBuffer(piece))
	}
	return s
}

func any32(n int) func(*Pass) (int, error) { return func(*Pass) (int, error) { return n, nil } }

func TestMessageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, 5, 1000, maxValues - 1, maxValues, maxValues + 1, 3 * maxValues}).Draw(t, "n")
		values := make([]float32, n)
		for i := range values {
			values[i] = math.Float32frombits(uint32(i) * 2654435761) // NaNs among them
		}
		pass := &Pass{MicroBatch: rapid.Uint32().Draw(t, "id"), Sequences: []*Sequence{{Request: 1, New: 2}}}
		var l loop
		if err := NewMessage(pass, values).Send(&l); err != nil {
			t.Fatal(err)
		}
		got, back, err := Receive(&l, any32(n), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(got, pass) || len(back) != n || len(l.messages) > 0 {
			t.Fatalf("got %v and %d values, %d messages left", got, len(back), len(l.messages))
		}
		for i := range values {
			if math.Float32bits(values[i]) != math.Float32bits(back[i]) {
				t.Fatalf("value %d: %x: want %x", i, math.Float32bits(back[i]), math.Float32bits(values[i]))
			}
		}
	})
}

// message returns the bytes of a frame with a header of so many bytes announced.
func message(announced uint32, rest ...byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, announced), rest...)
}

func TestReceiveRefuses(t *testing.T) {
	header, err := proto.Marshal(&Pass{Step: 1})
	if err != nil {
		t.Fatal(err)
	}
	good := message(uint32(len(header)), header...)
	with := func(values int) []byte { return append(slices.Clone(good), make([]byte, 4*values)...) }
	for name, messages := range map[string][][]byte{
		"too short":              {{1, 2}},
		"lying header":           {message(1<<31, 1, 2, 3)},
		"header beyond the end":  {message(5, 1, 2, 3)},
		"header of garbage":      {message(3, 0xff, 0xff, 0xff)},
		"continuation of none":   {message(0, 0, 0, 0, 0)},
		"a third of a value":     {append(slices.Clone(good), 1)},
		"too many values":        {with(9)},
		"too many in a frame":    {with(maxValues + 1)},
		"too few values":         {with(3)},
		"new message in between": {with(3), with(5)},
		"empty continuation":     {with(3), message(0)},
	} {
		if _, _, err := Receive(&loop{messages}, any32(8), nil); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: error %v: want one that is no orderly end", name, err)
		}
	}
	unwanted := errors.New("unwanted")
	refuse := func(*Pass) (int, error) { return 1 << 40, unwanted }
	if _, _, err := Receive(&loop{[][]byte{good}}, refuse, nil); !errors.Is(err, unwanted) {
		t.Errorf("error %v: want %v", err, unwanted)
	}
}

func TestHeaderLimit(t *testing.T) {
	p := &Pass{Release: make([]int64, maxHeader)}
	for i := range p.Release {
		p.Release[i] = math.MaxInt64
	}
	if err := NewMessage(p, nil).Send(&loop{}); err == nil {
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
	f.Add(append(message(uint32(len(header)), header...), 0, 0, 128, 63))
	f.Add(message(0, 1, 2, 3, 4))
	f.Add(message(1<<31, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		var in frame
		if in.unmarshal(inPieces(data)) != nil {
			return
		}
		out := frame{pass: in.pass, payload: encodeValues(in.values)}
		again, err := out.marshal()
		if err != nil {
			t.Fatal(err)
		}
		var back frame
		if err := back.unmarshal(again); err != nil {
			t.Fatal(err)
		}
		if len(back.values) != len(in.values) || in.pass != nil && back.pass != nil && !proto.Equal(in.pass, back.pass) {
			t.Fatalf("frame changed on the way: %v and %d values, %v and %d", in.pass, len(in.values), back.pass, len(back.values))
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
