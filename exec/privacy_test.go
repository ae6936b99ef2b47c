package exec_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/models"
)

// A tap passes connections on to an address and keeps what goes over them.
type tap struct {
	to string

	mu   sync.Mutex
	sent bytes.Buffer // by those who connect
	back bytes.Buffer
}

// newTap returns a tap in front of an address, and its own.
func newTap(t *testing.T, to string) (*tap, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{to: to}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { p.pass(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		open.Wait()
	})
	return p, l.Addr().String()
}

func (p *tap) pass(from net.Conn) {
	to, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = from.Close()
		return
	}
	var both sync.WaitGroup
	copyTo := func(dst, src net.Conn, kept *bytes.Buffer) {
		_, _ = io.Copy(dst, io.TeeReader(src, p.writer(kept)))
		_ = dst.Close()
		_ = src.Close()
	}
	both.Go(func() { copyTo(to, from, &p.sent) })
	both.Go(func() { copyTo(from, to, &p.back) })
	both.Wait()
}

// writer writes to a buffer that several connections share.
func (p *tap) writer(b *bytes.Buffer) io.Writer {
	return writerFunc(func(data []byte) (int, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return b.Write(data)
	})
}

// read returns what a buffer has, of connections that may not have ended yet.
func (p *tap) read(b *bytes.Buffer) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(b.Bytes())
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(data []byte) (int, error) { return f(data) }

// TestPromptStaysAtSource reads all that goes over the network, in plaintext for
// the purpose: a prompt's tokens go to the source's worker and to no other, its
// text to none.
func TestPromptStaysAtSource(t *testing.T) {
	const text = "Once upon a time, Mira had a secret"
	w := demoWorkload()
	w.Requests, w.Prompts, w.PromptTokens = 1, []string{text}, 32
	source, sourceAddress := newTap(t, serve(t, exec.WorkerOptions{Insecure: true}))
	other, otherAddress := newTap(t, serve(t, exec.WorkerOptions{Insecure: true}))
	run(t, &exec.Runner{Options: exec.Options{Insecure: true}}, remoteWith(t, w, sourceAddress, otherAddress))
	tokens := encodedTokens(t, text)
	for name, c := range map[string]struct {
		bytes  []byte
		prompt bool
	}{
		"to the source":   {source.read(&source.sent), true},
		"from the source": {source.read(&source.back), false},
		"to the other":    {other.read(&other.sent), false},
		"from the other":  {other.read(&other.back), false},
	} {
		if len(c.bytes) < 300 {
			t.Errorf("%s: %d bytes went over the wire: the tap missed them", name, len(c.bytes))
		}
		if diff := cmp.Diff(c.prompt, bytes.Contains(c.bytes, tokens)); diff != "" {
			t.Errorf("%s: the prompt's tokens went over the wire (want -, got +):\n%s", name, diff)
		}
		if bytes.Contains(c.bytes, []byte("secret")) {
			t.Errorf("%s: the prompt's text went over the wire", name)
		}
	}
}

// encodedTokens returns how protobuf writes a text's tokens, BOS left out.
func encodedTokens(t *testing.T, text string) (all []byte) {
	t.Helper()
	c, err := models.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tokenizer, err := c.Tokenizer()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range tokenizer.Encode(text, false) {
		all = binary.AppendUvarint(all, uint64(id))
	}
	return all
}
