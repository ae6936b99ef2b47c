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
	mended sync.Cond
}

func newMemoryNetwork() *memoryNetwork {
	n := &memoryNetwork{
		listeners: make(map[string]*bufconn.Listener), frozen: make(map[string]bool), cut: make(map[[2]string]bool),
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
}

// A memoryConn is the dialling end of a connection.
type memoryConn struct {
	net.Conn
	network  *memoryNetwork
	from, to string
	closed   bool // under the network's lock
}

// pass waits until something may go from one address to another.
func (c *memoryConn) pass(from, to string) error {
	n := c.network
	if n.broken.Load() == 0 {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for !c.closed && (n.frozen[from] || n.frozen[to] || n.cut[[2]string{from, to}]) {
		n.mended.Wait()
	}
	if c.closed {
		return net.ErrClosed
	}
	return nil
}

func (c *memoryConn) Write(p []byte) (int, error) {
	if err := c.pass(c.from, c.to); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if blocked := c.pass(c.to, c.from); blocked != nil && err == nil {
		return 0, blocked
	}
	return n, err
}

func (c *memoryConn) Close() error {
	c.network.change(func() { c.closed = true })
	return c.Conn.Close()
}
