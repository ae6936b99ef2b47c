package exec_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/exec"
)

// A cable carries connections to an address, and can be cut without either end
// being told.
type cable struct {
	t      *testing.T
	target string
	mu     sync.Mutex
	conns  []*cutConn
	over   bool
	whole  int // connections that come through; those after them are cut at once. 0: all do
}

// A cutConn passes nothing on after the cut.
type cutConn struct {
	net.Conn
	cut chan struct{}
}

func (c *cutConn) Write(p []byte) (int, error) {
	select {
	case <-c.cut:
		return len(p), nil
	default:
		return c.Conn.Write(p)
	}
}

// newCable returns a cable and the address of its end, of which so many connections
// come through; 0: all do.
func newCable(t *testing.T, target string, whole int) (*cable, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{t: t, target: target, whole: whole}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.carry(in) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.mu.Lock()
		c.over = true
		for _, conn := range c.conns {
			conn.Close()
		}
		c.mu.Unlock()
		all.Wait()
	})
	return c, l.Addr().String()
}

func (c *cable) carry(in net.Conn) {
	out, err := net.Dial("tcp", c.target)
	if err != nil {
		c.t.Error(err)
		return
	}
	cut := make(chan struct{})
	there, back := &cutConn{out, cut}, &cutConn{in, cut}
	c.mu.Lock()
	if c.over {
		in.Close()
		out.Close()
	}
	c.conns = append(c.conns, there, back)
	if c.whole > 0 && len(c.conns) > 2*c.whole {
		close(cut)
	}
	c.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(there, in)
		out.Close()
	}()
	_, _ = io.Copy(back, out)
	in.Close()
	<-done
}

// cutLast cuts the connection that came last.
func (c *cable) cutLast() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.conns[len(c.conns)-1].cut)
}

// TestFrozenBeforeItsBeats: a worker that freezes when it has said hello, and takes
// no stream of beats, counts as silent like any other.
func TestFrozenBeforeItsBeats(t *testing.T) {
	t.Parallel()
	_, end := newCable(t, serve(t, exec.WorkerOptions{Insecure: true}), 1)
	p := plan(t, "demo", devices(t, 1), demoWorkload(), cut{0, 10})
	p.Topology.Devices[0].Address = end
	err := (&exec.Runner{Options: exec.Options{Insecure: true, Timeout: time.Second}}).Run(t.Context(), p, newActor(1e6, nil))
	var lost *exec.DeviceError
	if !errors.As(err, &lost) || !strings.Contains(err.Error(), "no sign of life") {
		t.Errorf("error %v: want one of the device's silence", err)
	}
}

// TestCutLink: a link between two workers that goes silent ends the run, though the
// coordinator still reaches both. TestRecovery says how soon.
func TestCutLink(t *testing.T) {
	t.Parallel()
	d0, d1 := serve(t, exec.WorkerOptions{Insecure: true}), serve(t, exec.WorkerOptions{Insecure: true})
	link, end := newCable(t, d1, 0)
	p := remote(t, d0, end)
	p.Workload.Requests, p.Workload.Tokens, p.Workload.IgnoreEOS = 5000, 200, true
	a := newActor(20, link.cutLast) // the coordinator's connection came first
	err := (&exec.Runner{Options: exec.Options{Insecure: true}}).Run(t.Context(), p, a)
	var lost *exec.DeviceError
	if !errors.As(err, &lost) {
		t.Fatalf("error %v: want one of a device", err)
	}
	t.Log(err)
}
