package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"
)

// Limits of what a lane carries.
const (
	maxHeader   = 1 << 20 // bytes of a frame's header
	maxWord     = 4 << 10 // bytes of an answer
	maxGreeting = 1 << 10
	smallFrame  = 64 << 10 // bytes of values that are written with their header, in one piece
)

// laneMagic tells a lane from a gRPC connection, whose first bytes are others.
const laneMagic = "EDGSHARD"

// A Lane carries passes from one worker to another, in order, over a connection of
// its own at the other's only address. Nothing but TLS lies between a pass and the
// socket: a message is written by whoever has it, and read into where it is used.
//
// The sender begins with laneMagic and a Greeting behind its length (uint32); the
// receiver answers with a word. Frames follow,
//
//	uint32  length of the header
//	uint32  number of values
//	[]byte  header, a Pass
//	[]f32   values
//
// in little-endian order, and one of neither as a goodbye. The receiver's last
// answer is a word again. A word is its length (uint32) and a text, none where all
// is well. Values stay raw on the way, never protobuf bytes.
type Lane struct {
	conn   net.Conn
	reader *bufio.Reader
	name   string // in the other side's certificate; "" in plaintext
	read   atomic.Int64
	header []byte // of the frame that is read, kept for the next
	frame  []byte // that is written, too
}

func newLane(conn net.Conn, name string) *Lane {
	l := &Lane{conn: conn, name: name}
	l.reader = bufio.NewReaderSize(readCounter{conn, &l.read}, 4<<10)
	return l
}

type readCounter struct {
	io.Reader
	n *atomic.Int64
}

func (r readCounter) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n.Add(int64(n))
	return n, err
}

// OpenLane opens a lane to a worker whose certificate has the given name, and
// returns when the worker has taken it; nil credentials: in plaintext, which a
// Dialer to a network should refuse.
func OpenLane(ctx context.Context, address, name string, c *Credentials, d Dialer, g *Greeting) (*Lane, error) {
	conn, err := d(ctx, address)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if c != nil {
		config := c.client(name)
		config.NextProtos = []string{"h2"} // what the address speaks besides
		config.DynamicRecordSizingDisabled = true
		conn = tls.Client(conn, config)
	}
	l := newLane(conn, name)
	if err := l.greet(g); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return l, nil
}

func (l *Lane) greet(g *Greeting) error {
	data, err := proto.Marshal(g)
	if err != nil {
		return err
	}
	data = append(binary.LittleEndian.AppendUint32([]byte(laneMagic), uint32(len(data))), data...)
	if _, err := l.conn.Write(data); err != nil {
		return err
	}
	return l.Await()
}

// Greeting reads what the sender begins with, its magic left out.
func (l *Lane) Greeting() (*Greeting, error) {
	data, err := l.readBlock("greeting", maxGreeting)
	if err != nil {
		return nil, err
	}
	g := new(Greeting)
	if err := proto.Unmarshal(data, g); err != nil {
		return nil, fmt.Errorf("greeting: %w", err)
	}
	return g, l.conn.SetDeadline(time.Time{}) // there is one for what comes before
}

// readBlock reads a length and as many bytes.
func (l *Lane) readBlock(what string, most uint32) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(l.reader, size[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > most {
		return nil, fmt.Errorf("%s of %d bytes: at most %d", what, n, most)
	}
	data := make([]byte, n)
	_, err := io.ReadFull(l.reader, data)
	return data, err
}

// Answer tells the sender that all is well, or why it is not.
func (l *Lane) Answer(why error) error {
	text := ""
	if why != nil {
		text = why.Error()
		text = text[:min(len(text), maxWord)]
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	_, err := l.conn.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

// Await returns when the receiver has answered; the error is nil if all is well.
func (l *Lane) Await() error {
	text, err := l.readBlock("answer", maxWord)
	if err != nil {
		return noEOF(err)
	}
	if len(text) > 0 {
		return errors.New(string(text))
	}
	return nil
}

// noEOF makes an error of a connection that ends where there should be more.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Send writes a pass and its values; one goroutine at a time may. It waits where
// the connection has no room.
func (l *Lane) Send(p *Pass, values []float32) error {
	var err error
	if l.frame, err = appendHeader(l.frame[:0], p, len(values)); err != nil {
		return err
	}
	if 4*len(values) <= smallFrame {
		n := len(l.frame)
		l.frame = slices.Grow(l.frame, 4*len(values))[:n+4*len(values)]
		putValues(l.frame[n:], values)
		values = nil
	}
	if _, err := l.conn.Write(l.frame); err != nil {
		return err
	}
	for part := range slices.Chunk(values, smallFrame/4) {
		l.frame = slices.Grow(l.frame[:0], smallFrame)[:4*len(part)]
		putValues(l.frame, part)
		if _, err := l.conn.Write(l.frame); err != nil {
			return err
		}
	}
	return nil
}

// appendHeader appends a frame but for its values.
func appendHeader(frame []byte, p *Pass, values int) ([]byte, error) {
	at := len(frame)
	frame = append(frame, make([]byte, 8)...)
	frame, err := proto.MarshalOptions{}.MarshalAppend(frame, p)
	if err != nil {
		return frame, err
	}
	n := len(frame) - at - 8
	if n > maxHeader {
		return frame, fmt.Errorf("frame header of %d bytes: at most %d", n, maxHeader)
	}
	binary.LittleEndian.PutUint32(frame[at:], uint32(n))
	binary.LittleEndian.PutUint32(frame[at+4:], uint32(values))
	return frame, nil
}

// Goodbye says that no pass will follow.
func (l *Lane) Goodbye() error {
	_, err := l.conn.Write(make([]byte, 8))
	return err
}

// Receive reads a pass. size says how many values it must come with, or why it is
// not wanted; no memory is made for values before it has agreed. They are appended
// to into[:0]. After a goodbye the error is io.EOF, and it is never that else.
func (l *Lane) Receive(size func(*Pass) (int, error), into []float32) (*Pass, []float32, error) {
	var head [8]byte
	if _, err := io.ReadFull(l.reader, head[:]); err != nil {
		return nil, nil, noEOF(err)
	}
	n, values := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint32(head[4:])
	if n == 0 && values == 0 {
		return nil, nil, io.EOF
	}
	if n > maxHeader {
		return nil, nil, fmt.Errorf("frame header of %d bytes: at most %d", n, maxHeader)
	}
	p, err := l.readHeader(int(n))
	if err != nil {
		return nil, nil, err
	}
	want, err := size(p)
	if err != nil {
		return nil, nil, err
	}
	if int64(values) != int64(want) {
		return nil, nil, fmt.Errorf("message of %d values: want %d", values, want)
	}
	into = slices.Grow(into[:0], want)[:want]
	if _, err := io.ReadFull(l.reader, bytesOf(into)); err != nil {
		return nil, nil, fmt.Errorf("in the middle of a message: %w", noEOF(err))
	}
	fixValues(into)
	return p, into, nil
}

func (l *Lane) readHeader(n int) (*Pass, error) {
	l.header = slices.Grow(l.header[:0], n)[:n]
	if _, err := io.ReadFull(l.reader, l.header); err != nil {
		return nil, fmt.Errorf("frame header: %w", noEOF(err))
	}
	p := new(Pass)
	if err := proto.Unmarshal(l.header, p); err != nil {
		return nil, fmt.Errorf("frame header: %w", err)
	}
	return p, nil
}

// BytesRead returns how many bytes have come so far: a sign of life while a large
// message is on the way.
func (l *Lane) BytesRead() int64 { return l.read.Load() }

// PeerName returns the name of the certificate that the other side has shown, "" in
// plaintext.
func (l *Lane) PeerName() string { return l.name }

// Close cuts the lane off.
func (l *Lane) Close() error { return l.conn.Close() }
