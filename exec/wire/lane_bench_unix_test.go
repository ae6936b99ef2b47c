//go:build unix

package wire

import (
	"crypto/tls"
	"net"
	"syscall"
	"testing"
	"time"
)

// BenchmarkLane sends the activations of two rows of a model of 2,048 dimensions over
// a connection of this machine and back, in plaintext and under TLS: the difference is
// what encryption costs two messages, in time and in processor time of both ends.
func BenchmarkLane(b *testing.B) {
	a := authority(b)
	server, client := issued(b, a, "d1").server(), issued(b, a, "d0").client("d1")
	client.DynamicRecordSizingDisabled, server.DynamicRecordSizingDisabled = true, true
	for _, secure := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(b *testing.B) {
			near, far := connected(b)
			if secure {
				near, far = tls.Client(near, client), tls.Server(far, server)
			}
			const values = 2 * 2048
			size := anyOf(values)
			pass := &Pass{MicroBatch: 1, Step: 7, Sequences: []*Sequence{{Request: 1, Past: 60, New: 1}, {Request: 2, Past: 60, New: 1}}}
			go func() {
				l := newLane(far, "")
				for into := []float32(nil); ; {
					p, v, err := l.Receive(size, into)
					if err != nil || l.Send(p, v) != nil {
						return
					}
					into = v
				}
			}()
			l, out, into := newLane(near, ""), make([]float32, values), []float32(nil)
			begin := processorTime()
			for b.Loop() {
				if err := l.Send(pass, out); err != nil {
					b.Fatal(err)
				}
				var err error
				if _, into, err = l.Receive(size, into); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(processorTime()-begin)/float64(b.N), "cpu-ns/op")
		})
	}
}

// connected returns the two ends of a connection.
func connected(b *testing.B) (near, far net.Conn) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		b.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
