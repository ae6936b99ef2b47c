package exec

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/test/bufconn"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// A memoryNetwork connects workers within a process. Addresses can be frozen and
// links cut: then nothing gets through, and neither end is told.
type memoryNetwork struct {
	mu        sync.Mutex
	listeners map[string]*bufconn.Listener

	broken atomic.Int32 // how many are frozen or cut
	frozen map[string]bool
	cut    map[[2]string]bool // from one address to another
	held   map[*memoryConn]bool
	mended sync.Cond
}

func newMemoryNetwork() *memoryNetwork {
	n := &memoryNetwork{
		listeners: make(map[string]*bufconn.Listener), frozen: make(map[string]bool), cut: make(map[[2]string]bool),
		held: make(map[*memoryConn]bool),
	}
	n.mended.L = &n.mu
	return n
}

func (n *memoryNetwork) listen(address string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := bufconn.Listen(1 << 20)
	n.listeners[address] = l
	return l
}

// dialFrom returns how one address reaches the others.
func (n *memoryNetwork) dialFrom(from string) wire.Dialer {
	return func(ctx context.Context, address string) (net.Conn, error) {
		n.mu.Lock()
		l := n.listeners[address]
		n.mu.Unlock()
		if l == nil {
			return nil, fmt.Errorf("nobody listens at %s", address)
		}
		conn, err := l.DialContext(ctx)
		if err != nil {
			return nil, err
		}
		return &memoryConn{Conn: conn, network: n, from: from, to: address}, nil
	}
}

// freeze stops, or lets on, all that an address sends and gets.
func (n *memoryNetwork) freeze(address string, on bool) {
	n.change(func() { set(n.frozen, address, on) })
}

// sever stops, or lets on, what one address sends to another.
func (n *memoryNetwork) sever(from, to string, on bool) {
	n.change(func() { set(n.cut, [2]string{from, to}, on) })
}

func set[K comparable](m map[K]bool, key K, on bool) {
	if on {
		m[key] = true
		return
	}
	delete(m, key)
}

func (n *memoryNetwork) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	n.broken.Store(int32(len(n.frozen) + len(n.cut)))
	n.mended.Broadcast()
	for c := range n.held {
		if !c.flushing && !n.blocked(c.from, c.to) {
			c.flushing = true
			go c.flush()
		}
	}
}

// blocked reports that nothing gets from one address to another.
func (n *memoryNetwork) blocked(from, to string) bool {
	return n.frozen[from] || n.frozen[to] || n.cut[[2]string{from, to}]
}

// A memoryConn is the dialling end of a connection.
type memoryConn struct {
	net.Conn
	network  *memoryNetwork
	from, to string

	holds    atomic.Bool // something is held back; these are under the network's lock:
	pending  []byte      // what that is
	flushing bool
	closed   bool
}

// Write never waits, as with a network that has room: what cannot get through is
// held back.
func (c *memoryConn) Write(p []byte) (int, error) {
	n := c.network
	if n.broken.Load() == 0 && !c.holds.Load() {
		return c.Conn.Write(p)
	}
	n.mu.Lock()
	if !c.holds.Load() && !n.blocked(c.from, c.to) {
		n.mu.Unlock()
		return c.Conn.Write(p)
	}
	defer n.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	c.pending = append(c.pending, p...)
	c.holds.Store(true)
	n.held[c] = true
	return len(p), nil
}

// flush lets go what was held back, in order.
func (c *memoryConn) flush() {
	n := c.network
	for {
		n.mu.Lock()
		data := c.pending
		if c.pending = nil; len(data) == 0 || c.closed {
			c.flushing = false
			c.holds.Store(false)
			delete(n.held, c)
			n.mu.Unlock()
			return
		}
		n.mu.Unlock()
		_, _ = c.Conn.Write(data) // a broken connection is its reader's business
	}
}

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if blocked := c.await(); blocked != nil && err == nil {
		return 0, blocked
	}
	return n, err
}

// await waits until something may come from the other end.
func (c *memoryConn) await() error {
	n := c.network
	if n.broken.Load() == 0 {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for !c.closed && n.blocked(c.to, c.from) {
		n.mended.Wait()
	}
	if c.closed {
		return net.ErrClosed
	}
	return nil
}

func (c *memoryConn) Close() error {
	c.network.change(func() {
		c.closed = true
		delete(c.network.held, c)
	})
	return c.Conn.Close()
}
