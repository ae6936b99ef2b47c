package exec_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// An unwatched worker says who it is, and wants no beats.
type unwatched struct {
	wire.UnimplementedWorkerServer
	asked atomic.Int32
}

func (u *unwatched) Hello(context.Context, *wire.HelloRequest) (*wire.HelloReply, error) {
	return &wire.HelloReply{Protocol: wire.Protocol, Name: "d0"}, nil
}

func (u *unwatched) Watch(grpc.BidiStreamingServer[wire.Beat, wire.Beat]) error {
	u.asked.Add(1)
	return status.Error(codes.PermissionDenied, "no beats, please")
}

// TestUnwatched: a worker that answers to its name and to no beat is given up, with
// what it says, after a few tries.
func TestUnwatched(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &unwatched{}
	server := wire.NewServer(u, nil, nil, time.Second, slog.New(slog.NewTextHandler(io.Discard, nil)))
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	p := plan(t, "demo", devices(t, 1), demoWorkload(), cut{0, 10})
	p.Topology.Devices[0].Address = l.Addr().String()
	_, err = try(t.Context(), &exec.Runner{Options: exec.Options{Insecure: true}}, p)
	var lost *exec.DeviceError
	if !errors.As(err, &lost) || !strings.Contains(err.Error(), "answers no beat: no beats, please") {
		t.Errorf("error %v: want one of the device with what it says", err)
	}
	if n := u.asked.Load(); n != 3 {
		t.Errorf("asked %d times: want 3", n)
	}
}
