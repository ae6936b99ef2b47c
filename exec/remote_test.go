package exec_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/topologies"
)

// serve runs a worker until the test ends and returns its address.
func serve(t *testing.T, o exec.WorkerOptions) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	o.Threads = 1
	go func() { ended <- exec.NewWorker(o).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func authority(t *testing.T) *wire.Authority {
	t.Helper()
	a, err := wire.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issued(t *testing.T, a *wire.Authority, name string) *wire.Credentials {
	t.Helper()
	p, err := a.Issue(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Credentials()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// remote returns a two-stage plan whose devices have addresses.
func remote(t *testing.T, addresses ...string) *edgeshard.Plan {
	t.Helper()
	return remoteWith(t, demoWorkload(), addresses...)
}

func remoteWith(t *testing.T, w edgeshard.Workload, addresses ...string) *edgeshard.Plan {
	t.Helper()
	top := devices(t, len(addresses))
	for i, a := range addresses {
		top.Devices[i].Address = a
	}
	return plan(t, "demo", top, w, cut{0, 4}, cut{1, 10})
}

func TestRemoteWorkers(t *testing.T) {
	want := run(t, inMemory(), plan(t, "demo", devices(t, 1), demoWorkload(), cut{0, 10}))
	a := authority(t)
	d0 := serve(t, exec.WorkerOptions{Credentials: issued(t, a, "d0")})
	d1 := serve(t, exec.WorkerOptions{Credentials: issued(t, a, "d1")})
	plain0, plain1 := serve(t, exec.WorkerOptions{Insecure: true}), serve(t, exec.WorkerOptions{Insecure: true})
	secure := exec.Options{Credentials: issued(t, a, exec.CoordinatorName), Local: processes(t), Threads: 1}
	for name, c := range map[string]struct {
		options exec.Options
		plan    *edgeshard.Plan
	}{
		"mutual TLS":             {secure, remote(t, d0, d1)},
		"the source local":       {secure, remote(t, "", d1)},
		"all but the source":     {secure, remote(t, d0, "")},
		"plaintext on loopback":  {exec.Options{Insecure: true}, remote(t, plain0, plain1)},
		"local in plaintext too": {exec.Options{Insecure: true, Local: processes(t)}, remote(t, plain0, "")},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, &exec.Runner{Options: c.options}, c.plan)
			if diff := cmp.Diff(want.tokens, got.tokens); diff != "" {
				t.Errorf("tokens of one node (-) and over the wire (+):\n%s", diff)
			}
		})
	}
}

func TestRefusedConnections(t *testing.T) {
	a := authority(t)
	d0 := serve(t, exec.WorkerOptions{Credentials: issued(t, a, "d0")})
	d1 := serve(t, exec.WorkerOptions{Credentials: issued(t, a, "d1")})
	other := serve(t, exec.WorkerOptions{Credentials: issued(t, a, "other")})
	me := issued(t, a, exec.CoordinatorName)
	for name, c := range map[string]struct {
		options exec.Options
		plan    *edgeshard.Plan
		device  string // "": no device is to blame
	}{
		"no credentials":              {exec.Options{}, remote(t, d0, d1), ""},
		"another authority's":         {exec.Options{Credentials: issued(t, authority(t), exec.CoordinatorName)}, remote(t, d0, d1), "d"},
		"a worker of another name":    {exec.Options{Credentials: me}, remote(t, d0, other), "d1"},
		"a device for coordinator":    {exec.Options{Credentials: issued(t, a, "d1")}, remote(t, d0, d1), "d"},
		"nobody there":                {exec.Options{Credentials: me}, remote(t, d0, "127.0.0.1:1"), "d1"},
		"plaintext to TLS":            {exec.Options{Insecure: true}, remote(t, d0, d1), "d"},
		"local workers of no command": {exec.Options{Credentials: me}, remote(t, d0, ""), ""},
		"plaintext off loopback":      {exec.Options{Insecure: true}, remote(t, d0, ownAddress(t)), "d"},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Timeout = 10 * time.Second
			_, err := try(t.Context(), &exec.Runner{Options: c.options}, c.plan)
			var blamed *exec.DeviceError
			switch {
			case err == nil:
				t.Fatal("the run went through")
			case c.device == "" && errors.As(err, &blamed):
				t.Errorf("error %v blames a device", err)
			case c.device != "" && (!errors.As(err, &blamed) || !strings.HasPrefix(blamed.Device, c.device)):
				t.Errorf("error %v: want it to blame %s", err, c.device)
			}
			t.Log(err)
		})
	}
}

// dialAs connects to the worker of device d0.
func dialAs(t *testing.T, address string, c *wire.Credentials) wire.WorkerClient {
	t.Helper()
	conn, err := wire.Dial(address, "d0", c, wire.TCP)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return wire.NewWorkerClient(conn)
}

// TestStrangers: a certificate of the authority does not make its owner a device
// of the session, nor one device another.
func TestStrangers(t *testing.T) {
	a := authority(t)
	address := serve(t, exec.WorkerOptions{Name: "d0", Credentials: issued(t, a, "d0")})
	dial := func(name string) wire.WorkerClient { return dialAs(t, address, issued(t, a, name)) }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := dial(exec.CoordinatorName).Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r := &rogue{t: t, stream: stream}
	l := load()
	l.Members = []*wire.Peer{{Device: 1, Certificate: "d1"}, {Device: 2, Certificate: "d2"}}
	r.loaded(l)
	for _, c := range []struct {
		name   string
		device uint32
		taken  bool
	}{{"d1", 1, true}, {"d1", 2, false}, {"d3", 1, false}, {"d3", 3, false}} {
		ctx := metadata.AppendToOutgoingContext(ctx, "edgeshard-session", rogueSession, "edgeshard-device", strconv.FormatUint(uint64(c.device), 10))
		client := dial(c.name)
		lane, err := wire.OpenLane(ctx, address, "d0", issued(t, a, c.name), wire.TCP, &wire.Greeting{Session: rogueSession, Device: c.device})
		if got := err == nil; got != c.taken {
			t.Errorf("passes of %s as device %d: taken %v, %v: want %v", c.name, c.device, got, err, c.taken)
		}
		if err == nil {
			t.Cleanup(func() { lane.Close() })
		}
		fetch, err := client.Fetch(ctx)
		if got := taken(t, fetch, err); got != c.taken {
			t.Errorf("fetching of %s as device %d: taken %v: want %v", c.name, c.device, got, c.taken)
		}
		refusesWeights(ctx, t, client, c.name)
	}
}

// refusesWeights: a worker takes no weights from anybody but the coordinator.
func refusesWeights(ctx context.Context, t *testing.T, client wire.WorkerClient, name string) {
	t.Helper()
	supply, err := client.Supply(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := supply.Recv(); err == nil || !strings.Contains(err.Error(), "not the coordinator's") {
		t.Errorf("weights of %s: error %v: want a refusal", name, err)
	}
}

// taken reports whether the other side takes a stream, which was opened with err.
func taken(t *testing.T, s grpc.ClientStream, err error) bool {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	header, err := s.Header()
	return err == nil && header != nil
}

// ownAddress is where a listener would be reached that is not on loopback.
func ownAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return net.JoinHostPort(n.IP.String(), port)
		}
	}
	return "192.0.2.1:" + port // of no network (RFC 5737)
}

func TestServeInPlaintext(t *testing.T) {
	for _, c := range []struct {
		listen   string
		insecure bool
	}{{"127.0.0.1:0", false}, {"0.0.0.0:0", true}} {
		l, err := net.Listen("tcp", c.listen)
		if err != nil {
			t.Fatal(err)
		}
		if err := exec.NewWorker(exec.WorkerOptions{Insecure: c.insecure}).Serve(t.Context(), l); err == nil {
			t.Errorf("served in plaintext on %s", c.listen)
		}
	}
}

// TestWorkerBudget: a worker's own budget counts where the plan's is larger.
func TestWorkerBudget(t *testing.T) {
	address := serve(t, exec.WorkerOptions{Insecure: true, Memory: 200_000})
	p := plan(t, "demo", devices(t, 1), demoWorkload(), cut{0, 10})
	p.Topology.Devices[0].Address = address
	p.Topology.Devices[0].Overhead = topologies.Bytes(50_000)
	_, err := try(t.Context(), &exec.Runner{Options: exec.Options{Insecure: true}}, p)
	var oom *edgeshard.OutOfMemory
	if !errors.As(err, &oom) || oom.Budget != 200_000 {
		t.Fatalf("error %v: want out of memory with a budget of 200000", err)
	}
	for _, part := range []string{"weights 3477760", "runtime 50000", "workspace ", "KV caches "} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q: want it to tell %q", err, part)
		}
	}
}
