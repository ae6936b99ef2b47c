package experiments

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// ServeQueue starts a NATS server with JetStream in this process, listening at
// address and keeping its streams in dir. Without a token it only listens on this
// machine itself.
func ServeQueue(address, token, dir string) (*server.Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: want host:port", address)
	}
	if ip := net.ParseIP(host); token == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, errors.New("a queue that other machines reach wants a token")
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("address %q: want a port's number", address)
	}
	if n == 0 {
		n = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{
		Host: host, Port: n, Authorization: token, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
		MaxPayload: maxPayload,
	})
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(queueTimeout) {
		s.Shutdown()
		return nil, fmt.Errorf("NATS: no server at %s within %s", address, queueTimeout)
	}
	return s, nil
}

const maxPayload = 8 << 20 // bytes of one piece of work

// ConnectQueue connects to a NATS server and stays connected: a server that goes
// away is waited for.
func ConnectQueue(url string, o ...nats.Option) (*nats.Conn, error) {
	o = append([]nats.Option{
		nats.Name("edgeshard sweep"), nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond), nats.Timeout(queueTimeout),
	}, o...)
	c, err := nats.Connect(url, o...)
	if err != nil {
		return nil, fmt.Errorf("NATS at %s: %w", url, err)
	}
	return c, nil
}
