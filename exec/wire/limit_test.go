package wire

import (
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"
)

// counted accepts connections and hands them on.
func counted(t *testing.T, secure bool) (address string, accepted <-chan net.Conn) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Limit(inner, secure, slog.New(slog.DiscardHandler))
	out := make(chan net.Conn, 2*maxConnections)
	go func() {
		defer close(out)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			out <- c
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		for c := range out {
			_ = c.Close()
		}
	})
	return l.Addr().String(), out
}

func connectTo(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// closed reports that the other side closes a connection, or has.
func closed(t *testing.T, c net.Conn) bool {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Read(make([]byte, 1))
	var late net.Error
	return err != nil && (!errors.As(err, &late) || !late.Timeout())
}

// TestLimit: what is beyond the limit is closed, and who leaves makes room.
func TestLimit(t *testing.T) {
	address, accepted := counted(t, false)
	var there []net.Conn
	for range maxConnections {
		connectTo(t, address)
		there = append(there, <-accepted)
	}
	if !closed(t, connectTo(t, address)) {
		t.Fatal("a connection beyond the limit is kept")
	}
	_ = there[0].Close()
	_ = there[0].Close() // counts once
	connectTo(t, address)
	<-accepted
	if !closed(t, connectTo(t, address)) {
		t.Error("one that left made room for two")
	}
}

// TestLimitStrangers: who shows no certificate keeps nobody out, and drives nobody
// out who has.
func TestLimitStrangers(t *testing.T) {
	address, accepted := counted(t, true)
	connectTo(t, address)
	known := (<-accepted).(*limitedConn)
	known.known()
	first := connectTo(t, address)
	<-accepted
	for range maxStrangers {
		connectTo(t, address)
		<-accepted
	}
	if !closed(t, first) {
		t.Error("the oldest stranger is still there")
	}
	if _, err := known.Write([]byte("x")); err != nil {
		t.Errorf("one that has shown a certificate is closed: %v", err)
	}
}
