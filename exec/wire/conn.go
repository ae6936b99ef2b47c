package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const (
	handshakeTimeout = 5 * time.Second // of either side, connecting included
	window           = 4 << 20         // bytes a stream may send ahead of its reader
	maxStreams       = 256             // of a connection
)

// A Dialer opens a connection to an address.
type Dialer func(ctx context.Context, address string) (net.Conn, error)

// TCP is the Dialer of a network.
func TCP(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

// NewServer returns a server of w, and of lanes, for connections under mutual TLS,
// or, where c is nil, in plaintext. A client that is silent for more than timeout,
// its machine gone or its link cut, is disconnected. Connections that are refused
// are logged. The handler of lanes must return at once; a lane is its own then.
func NewServer(w WorkerServer, lanes func(*Lane), c *Credentials, timeout time.Duration, log *slog.Logger) *grpc.Server {
	security := insecure.NewCredentials()
	if c != nil {
		config := c.server()
		config.DynamicRecordSizingDisabled = true
		security = credentials.NewTLS(config)
	}
	s := grpc.NewServer(
		grpc.Creds(guarded{security, lanes, log}),
		grpc.ForceServerCodecV2(codec{}),
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(maxStreams),
		grpc.StaticStreamWindowSize(window), grpc.StaticConnWindowSize(window),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: timeout / 2, Timeout: timeout / 2}),
		grpc.WaitForHandlers(true),
	)
	RegisterWorkerServer(s, w)
	return s
}

// guarded logs the handshakes that fail, tells of those that do not, and takes the
// connections that are lanes.
type guarded struct {
	credentials.TransportCredentials
	lanes func(*Lane)
	log   *slog.Logger
}

func (g guarded) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := g.TransportCredentials.ServerHandshake(c)
	if err != nil {
		g.log.Warn("connection refused", "from", c.RemoteAddr().String(), "why", err)
		return nil, nil, err
	}
	if limited, ok := c.(*limitedConn); ok {
		limited.known()
	}
	first := make([]byte, len(laneMagic))
	if _, err := io.ReadFull(conn, first); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the first %d bytes: %w", len(first), err), conn.Close())
	}
	if string(first) != laneMagic {
		return &begunConn{conn, first}, info, nil
	}
	g.lanes(newLane(conn, peerName(info)))
	return nil, nil, credentials.ErrConnDispatched
}

func (g guarded) Clone() credentials.TransportCredentials {
	return guarded{g.TransportCredentials.Clone(), g.lanes, g.log}
}

// A begunConn is one of which something has been read.
type begunConn struct {
	net.Conn
	first []byte
}

func (c *begunConn) Read(p []byte) (int, error) {
	if len(c.first) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.first)
	c.first = c.first[n:]
	return n, nil
}

// Dial prepares a connection to a worker whose certificate has the given name;
// nil credentials: in plaintext, which a Dialer to a network should refuse.
func Dial(address, name string, c *Credentials, d Dialer) (*grpc.ClientConn, error) {
	security := insecure.NewCredentials()
	if c != nil {
		security = credentials.NewTLS(c.client(name))
	}
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(security), grpc.WithContextDialer(d),
		grpc.WithStaticStreamWindowSize(window), grpc.WithStaticConnWindowSize(window),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec{}), grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: handshakeTimeout}),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithIdleTimeout(0))
	if err != nil {
		return nil, fmt.Errorf("worker %s at %s: %w", name, address, err)
	}
	return conn, nil
}

// Loopback is a Dialer that goes nowhere but to this machine, so that plaintext
// never leaves it.
func Loopback(ctx context.Context, address string) (net.Conn, error) {
	conn, err := TCP(ctx, address)
	if err != nil {
		return nil, err
	}
	if !IsLoopback(conn.RemoteAddr()) {
		_ = conn.Close()
		return nil, fmt.Errorf("plaintext to %s refused: only a loopback address may go without TLS", address)
	}
	return conn, nil
}

// IsLoopback reports whether an address is this machine's own, or of no network.
func IsLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}
