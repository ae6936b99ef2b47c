package exec

import (
	"context"
	"net"
	"sync/atomic"

	"google.golang.org/grpc/peer"
)

// An activity counts what has been read from a connection, which shows it as
// the address of the other side.
type activity struct {
	net.Addr
	read atomic.Int64 // bytes
}

// activityOf returns the activity of the connection that a call came on; nil if
// its listener keeps none.
func activityOf(ctx context.Context) *activity {
	if p, ok := peer.FromContext(ctx); ok {
		if a, ok := p.Addr.(*activity); ok {
			return a
		}
	}
	return nil
}

// An activeListener keeps the activity of its connections.
type activeListener struct{ net.Listener }

func (l activeListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &activeConn{conn, &activity{Addr: conn.RemoteAddr()}}, nil
}

type activeConn struct {
	net.Conn
	activity *activity
}

func (c *activeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.activity.read.Add(int64(n))
	return n, err
}

func (c *activeConn) RemoteAddr() net.Addr { return c.activity }
