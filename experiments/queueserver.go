package experiments

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// A QueueServer says what NATS server to start.
type QueueServer struct {
	Address string // host:port; port 0 is any
	Token   string // that clients show; "": none
	Dir     string // for its streams
	// Cert and Key are files for TLS, CA the authority of the certificates that
	// clients must show; "": none.
	Cert, Key, CA string
}

// Serve starts the server with JetStream in this process. One that asks its clients
// neither for a token nor for a certificate only listens on this machine itself.
func (q QueueServer) Serve() (*server.Server, error) {
	host, port, err := net.SplitHostPort(q.Address)
	if err != nil {
		return nil, fmt.Errorf("address %q: want host:port", q.Address)
	}
	if ip := net.ParseIP(host); q.Token == "" && q.CA == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, errors.New("a queue that other machines reach wants a token, or certificates")
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("address %q: want a port's number", q.Address)
	}
	if n == 0 {
		n = server.RANDOM_PORT
	}
	o := &server.Options{
		Host: host, Port: n, Authorization: q.Token, JetStream: true, StoreDir: q.Dir, NoSigs: true, NoLog: true,
		MaxPayload: maxPayload, TLSTimeout: queueTimeout.Seconds(),
	}
	if q.Cert != "" {
		o.TLSConfig, err = server.GenTLSConfig(&server.TLSConfigOpts{CertFile: q.Cert, KeyFile: q.Key, CaFile: q.CA, Verify: q.CA != ""})
		if err != nil {
			return nil, fmt.Errorf("NATS: %w", err)
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(queueTimeout) {
		s.Shutdown()
		return nil, fmt.Errorf("NATS: no server at %s within %s: is the port taken?", q.Address, queueTimeout)
	}
	return s, nil
}

const maxPayload = 8 << 20 // bytes of one piece of work

// PublicURL is a server's URL for other machines: with this one's name where the
// server listens at all its addresses.
func PublicURL(s *server.Server) string {
	u, err := url.Parse(s.ClientURL())
	if err != nil {
		return s.ClientURL()
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			u.Host = net.JoinHostPort(name, u.Port())
		}
	}
	return u.String()
}

// ConnectQueue connects to a NATS server and stays connected: a server that goes
// away is waited for.
func ConnectQueue(address string, log *slog.Logger, o ...nats.Option) (*nats.Conn, error) {
	o = append([]nats.Option{
		nats.Name("edgeshard sweep"), nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond), nats.Timeout(queueTimeout),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("the NATS server is away", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Warn("the NATS server is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if !errors.Is(err, nats.ErrConsumerNotActive) {
				log.Info("NATS", "error", err)
			}
		}),
	}, o...)
	c, err := nats.Connect(address, o...)
	if err != nil {
		return nil, fmt.Errorf("NATS at %s: %w", Redacted(address), err)
	}
	return c, nil
}

// Redacted is an address without its password.
func Redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the address given"
	}
	return u.Redacted()
}
