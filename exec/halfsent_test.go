package exec_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/edgeshard/edgeshard/exec"
)

// A half is a client that begins a call and does not end it.
type half struct {
	t      *testing.T
	conn   net.Conn
	framer *http2.Framer
}

func newHalf(t *testing.T, address string) *half {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	h := &half{t, conn, http2.NewFramer(conn, nil)}
	h.do(h.framer.WriteSettings())
	return h
}

func (h *half) do(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// call begins a call of a method.
func (h *half) call(stream uint32, method string) {
	h.t.Helper()
	var b bytes.Buffer
	enc := hpack.NewEncoder(&b)
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"},
		{Name: ":path", Value: "/edgeshard.wire.v1.Worker/" + method}, {Name: ":authority", Value: "d0"},
		{Name: "content-type", Value: "application/grpc+edgeshard"}, {Name: "te", Value: "trailers"},
	} {
		h.do(enc.WriteField(f))
	}
	h.do(h.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: b.Bytes(), EndHeaders: true}))
}

// TestHalfSent: messages that never end, on many connections, keep nobody else
// from the worker, and it gives up who has sent them.
func TestHalfSent(t *testing.T) {
	address := serve(t, exec.WorkerOptions{Insecure: true, Timeout: time.Second})
	for i := range 40 {
		lane, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer lane.Close()
		// Half of a lane's first bytes, no greeting, or one larger than any may be.
		if _, err := io.WriteString(lane, []string{"EDGS", "EDGSHARD", "EDGSHARD\xff\xff\xff\xff"}[i%3]); err != nil {
			t.Fatal(err)
		}
		h := newHalf(t, address)
		switch i % 4 {
		case 0: // no call at all
		case 1: // a call without a message
			h.call(1, "Session")
		case 2: // a message of 15 MiB, of which a byte comes
			h.call(1, "Session")
			h.do(h.framer.WriteData(1, false, []byte{0, 0, 0xf0, 0, 0, 1}))
		case 3: // one that is larger than any may be
			h.call(1, "Supply")
			h.do(h.framer.WriteData(1, false, []byte{0, 0xff, 0xff, 0xff, 0xff, 1}))
		}
	}
	p := plan(t, "demo", devices(t, 1), demoWorkload(), cut{0, 10})
	p.Topology.Devices[0].Address = address
	run(t, &exec.Runner{Options: exec.Options{Insecure: true}}, p)
}
