package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Listening says how a Server is reached.
type Listening struct {
	Certificate *tls.Certificate // nil: without TLS
	Drain       time.Duration    // how long requests may take to end when the server stops
}

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

// Check refuses to serve strangers without a key and TLS.
func (l *Listening) Check(a net.Addr, k *Keys) error {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		return nil
	}
	switch {
	case k == nil:
		return fmt.Errorf("%s is no loopback address: want API keys", a)
	case l.Certificate == nil:
		return fmt.Errorf("%s is no loopback address: want a TLS certificate and its key", a)
	}
	return nil
}

// Serve answers on l until ctx ends; it closes l. Then it takes no more requests
// and waits for those it has to end, until the deadline that how sets, or until
// now ends, cuts them off.
func (s *Server) Serve(ctx, now context.Context, l net.Listener, how Listening) error {
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	h := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return base },
	}
	if how.Certificate != nil {
		h.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*how.Certificate}, MinVersion: tls.VersionTLS12}
	}
	ended := make(chan error, 1)
	go func() {
		if how.Certificate != nil {
			ended <- h.ServeTLS(l, "", "")
		} else {
			ended <- h.Serve(l)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	return s.drain(now, h, cut, how.Drain)
}

// drain stops h in order, and cuts off what does not come to an end.
func (s *Server) drain(now context.Context, h *http.Server, cut context.CancelFunc, most time.Duration) error {
	s.draining.Store(true)
	running, waiting := s.gate.count()
	s.log.Info("draining", "running", running, "waiting", waiting, "deadline", most)
	deadline, cancel := context.WithTimeout(now, most)
	defer cancel()
	err := h.Shutdown(deadline)
	if err == nil {
		return nil
	}
	cut() // handlers notice, and free their sequences
	s.answering.Wait()
	if now.Err() != nil {
		err = now.Err()
	} else if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("requests had not ended %s after the server was told to stop: they are cut off", most)
	}
	return errors.Join(err, h.Close())
}
