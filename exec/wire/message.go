package wire

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc/mem"
)

// A Stream is the end of a gRPC stream.
type Stream interface {
	SendMsg(m any) error
	RecvMsg(m any) error
}

// A Message is a pass and its values on the way out.
type Message struct {
	Pass   *Pass
	chunks []mem.Buffer
	bytes  int64
}

// NewMessage returns a message of a copy of values.
func NewMessage(p *Pass, values []float32) *Message {
	m := &Message{Pass: p, bytes: 4 * int64(len(values))}
	for part := range slices.Chunk(values, maxValues) {
		m.chunks = append(m.chunks, encodeValues(part))
	}
	return m
}

// Bytes returns the size of the values.
func (m *Message) Bytes() int64 { return m.bytes }

// Send sends the message, as many frames as it takes. The message is used up,
// also on error. gRPC holds its own references to the buffers until they are
// written, which may be after Send has returned.
func (m *Message) Send(s Stream) error {
	defer m.Free()
	f := frame{pass: m.Pass}
	for {
		f.payload = nil
		if len(m.chunks) > 0 {
			f.payload = m.chunks[0]
			m.chunks = m.chunks[1:]
		}
		if err := s.SendMsg(&f); err != nil || len(m.chunks) == 0 {
			return err
		}
		f.pass = nil
	}
}

// Free gives back the buffers of a message that is not sent.
func (m *Message) Free() {
	for _, c := range m.chunks {
		c.Free()
	}
	m.chunks = nil
}

// Receive reads a message. size says how many values a pass must come with, or
// why it is not wanted; nothing is allocated before it has agreed. The values
// are appended to into[:0].
func Receive(s Stream, size func(*Pass) (int, error), into []float32) (*Pass, []float32, error) {
	f := frame{values: into[:0]}
	if err := s.RecvMsg(&f); err != nil {
		return nil, nil, err
	}
	if f.pass == nil {
		return nil, nil, errors.New("frame continues nothing")
	}
	pass := f.pass
	want, err := size(pass)
	if err != nil {
		return nil, nil, err
	}
	if len(f.values) < want {
		f.values = slices.Grow(f.values, want-len(f.values))
	}
	for len(f.values) < want {
		had := len(f.values)
		if err := s.RecvMsg(&f); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // the stream did not end in order
			}
			return nil, nil, fmt.Errorf("in the middle of a message: %w", err)
		}
		if f.pass != nil || len(f.values) == had {
			return nil, nil, fmt.Errorf("message ends after %d values: want %d", had, want)
		}
	}
	if len(f.values) != want {
		return nil, nil, fmt.Errorf("message of %d values: want %d", len(f.values), want)
	}
	return pass, f.values, nil
}
