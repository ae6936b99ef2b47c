package wire

import (
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	// maxConnections is how many a worker has at once: its coordinator needs a
	// handful, and each device of a plan two.
	maxConnections = 256
	// maxStrangers is how many of them may not have shown a certificate yet.
	maxStrangers = 64
	// refusalEvery is the time between two words in the log on what is too many.
	refusalEvery = 10 * time.Second
)

// Limit bounds the connections that a listener has open: beyond that number they
// are closed as they come. If secure, which says that they are of a server with
// Credentials, those that have not shown a certificate are bounded, too, and the
// oldest of them makes room for the next: so strangers cannot keep out who has one.
func Limit(l net.Listener, secure bool, log *slog.Logger) net.Listener {
	return &limited{Listener: l, secure: secure, log: log}
}

type limited struct {
	net.Listener
	secure bool
	log    *slog.Logger

	mu        sync.Mutex
	open      int
	strangers []*limitedConn // the oldest first
	told      time.Time      // when the log was last told that there are too many
}

// Accept returns the next connection that there is room for.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c, loser := l.admit(conn)
		if loser != nil {
			_ = loser.Close()
		}
		if c != nil {
			return c, nil
		}
	}
}

// admit returns the connection, if there is room, and one that is to be closed.
func (l *limited) admit(conn net.Conn) (c *limitedConn, loser net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.secure && len(l.strangers) >= maxStrangers {
		loser = l.strangers[0]
		l.strangers = l.strangers[1:]
		l.tell("too many connections that show no certificate", loser)
	}
	if l.open >= maxConnections {
		l.tell("too many connections", conn)
		if loser == nil {
			return nil, conn
		}
	}
	c = &limitedConn{Conn: conn, listener: l}
	l.open++
	if l.secure {
		l.strangers = append(l.strangers, c)
	}
	return c, loser
}

func (l *limited) tell(why string, conn net.Conn) {
	if now := time.Now(); now.Sub(l.told) > refusalEvery {
		l.told = now
		l.log.Warn("connection refused", "from", conn.RemoteAddr().String(), "why", why)
	}
}

// forget takes a connection off those that have shown no certificate.
func (l *limited) forget(c *limitedConn) {
	if i := slices.Index(l.strangers, c); i >= 0 {
		l.strangers = slices.Delete(l.strangers, i, i+1)
	}
}

// A limitedConn counts as open until it is closed.
type limitedConn struct {
	net.Conn
	listener *limited
	closing  sync.Once
}

func (c *limitedConn) Close() error {
	c.closing.Do(func() {
		l := c.listener
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open--
		l.forget(c)
	})
	return c.Conn.Close()
}

// known says that the other side has shown a certificate.
func (c *limitedConn) known() {
	l := c.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(c)
}
