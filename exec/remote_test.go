package exec_test

import (
	"context"
	"errors"
	"net"
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
			c.options.Timeout = time.Second
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

// TestStrangers: a certificate of the authority does not make its owner a device
// of the session, nor one device another.
func TestStrangers(t *testing.T) {
	a := authority(t)
	address := serve(t, exec.WorkerOptions{Name: "d0", Credentials: issued(t, a, "d0")})
	dial := func(name string) wire.WorkerClient {
		conn, err := wire.Dial(address, "d0", issued(t, a, name), wire.TCP)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return wire.NewWorkerClient(conn)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
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
		name, device string
		taken        bool
	}{{"d1", "1", true}, {"d1", "2", false}, {"d3", "1", false}, {"d3", "3", false}} {
		ctx := metadata.AppendToOutgoingContext(ctx, "edgeshard-session", rogueSession, "edgeshard-device", c.device)
		client := dial(c.name)
		forward, err := client.Forward(ctx)
		if err != nil {
			t.Fatal(err)
		}
		header, err := forward.Header()
		if got := err == nil && header != nil; got != c.taken {
			t.Errorf("passes of %s as device %s: taken %v, %v: want %v", c.name, c.device, got, err, c.taken)
		}
		fetch, err := client.Fetch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		header, err = fetch.Header()
		if got := err == nil && header != nil; got != c.taken {
			t.Errorf("fetching of %s as device %s: taken %v, %v: want %v", c.name, c.device, got, err, c.taken)
		}
		supply, err := client.Supply(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := supply.Recv(); err == nil || !strings.Contains(err.Error(), "not the coordinator's") {
			t.Errorf("weights of %s: error %v: want a refusal", c.name, err)
		}
	}
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

// A rogue talks to a worker in its own way.
type rogue struct {
	t      *testing.T
	client wire.WorkerClient
	stream grpc.BidiStreamingClient[wire.Command, wire.Event]
}

func newRogue(t *testing.T, address string) *rogue {
	t.Helper()
	conn, err := wire.Dial(address, "", nil, wire.Loopback)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	client := wire.NewWorkerClient(conn)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	stream, err := client.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &rogue{t, client, stream}
}

const rogueSession = "0123456789abcdef"

// load returns a load for all of the demo model.
func load() *wire.Load {
	config := `{"name":"demo","vocab":1024,"dim":128,"hidden":352,"layers":8,"heads":8,"kv_heads":4,"context":256,"norm_eps":1e-05,"rope_theta":10000,"bos":1,"eos":2}`
	return &wire.Load{
		Session: rogueSession, Device: "d0", Model: "demo", ConfigJson: []byte(config),
		Stages:     []*wire.Stage{{Device: 0, From: 0, To: 5}, {Device: 1, From: 5, To: 6}, {Device: 0, From: 6, To: 10}},
		MicroBatch: 2, PromptTokens: 4, Positions: 8, InFlight: 2, TimeoutNs: int64(8 * time.Second),
	}
}

func (r *rogue) send(c *wire.Command) {
	r.t.Helper()
	if err := r.stream.Send(c); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rogue) load(l *wire.Load) {
	r.t.Helper()
	r.send(&wire.Command{Kind: &wire.Command_Load{Load: l}})
}

// end returns what the session ends with.
func (r *rogue) end() string {
	r.t.Helper()
	for {
		e, err := r.stream.Recv()
		if err != nil {
			return err.Error()
		}
		if f := e.GetFailure(); f != nil {
			return f.GetReason()
		}
	}
}

// ready waits until the shards are loaded and connected to nobody.
func (r *rogue) ready() {
	r.t.Helper()
	r.loaded(load())
}

func (r *rogue) loaded(l *wire.Load) {
	r.t.Helper()
	r.load(l)
	r.send(&wire.Command{Kind: &wire.Command_Connect{Connect: &wire.Connect{}}})
	for {
		e, err := r.stream.Recv()
		if err != nil || e.GetFailure() != nil {
			r.t.Fatal(err, e.GetFailure())
		}
		if e.GetConnected() != nil {
			return
		}
	}
}

// TestRogueCoordinator: whatever a coordinator says, it gets an error, and the
// worker serves the next one.
func TestRogueCoordinator(t *testing.T) {
	address := serve(t, exec.WorkerOptions{Insecure: true})
	pass := func(p *wire.Pass) func(*rogue) {
		return func(r *rogue) {
			r.ready()
			r.send(&wire.Command{Kind: &wire.Command_Pass{Pass: p}})
		}
	}
	loaded := func(change func(*wire.Load)) func(*rogue) {
		return func(r *rogue) {
			l := load()
			change(l)
			r.load(l)
		}
	}
	long := make([]uint32, 100)
	for _, c := range []struct {
		name, want string
		do         func(*rogue)
	}{
		{"nothing but silence", "no word from the coordinator", loaded(func(l *wire.Load) { l.TimeoutNs = int64(200 * time.Millisecond) })},
		{"a pass before the load", "want a load", func(r *rogue) { r.send(&wire.Command{Kind: &wire.Command_Pass{Pass: &wire.Pass{}}}) }},
		{"a pass too soon", "before the load", func(r *rogue) {
			r.load(load())
			r.send(&wire.Command{Kind: &wire.Command_Pass{Pass: &wire.Pass{}}})
		}},
		{"no sequences", "0 sequences", pass(&wire.Pass{})},
		{"too many sequences", "3 sequences", pass(&wire.Pass{Sequences: make([]*wire.Sequence, 3)})},
		{"too many tokens", "100 positions", pass(&wire.Pass{Sequences: []*wire.Sequence{{New: 100, Tokens: long}}})},
		{"too large a reservation", "reserves 9", pass(&wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{1}, Reserve: 9}}})},
		{"tokens and positions that differ", "0 tokens for 1", pass(&wire.Pass{Sequences: []*wire.Sequence{{New: 1}}})},
		{"a token of no vocabulary", "vocabulary", pass(&wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{9999}, Reserve: 8}}})},
		{"a sequence without a cache", "no KV cache", pass(&wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{1}}}})},
		{"a stage that is elsewhere", "does not start at the source", pass(&wire.Pass{Stage: 1})},
		{"a sampling of no sense", "temperature is -1", pass(&wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{1}, Reserve: 8, Sampling: &wire.Sampling{Temperature: -1}}}})},
		{"alternatives beyond all limits", "4000000000", pass(&wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{1}, Reserve: 8, Sampling: &wire.Sampling{LogProbs: true, Alternatives: 4e9}}}})},
		{"a short session id", "session id", loaded(func(l *wire.Load) { l.Session = "x" })},
		{"no stages", "0 stages", loaded(func(l *wire.Load) { l.Stages = nil })},
		{"stages of no unit", "units [5, 11)", loaded(func(l *wire.Load) { l.Stages[1].To = 11 })},
		{"stages elsewhere", "no stage is on this device", loaded(func(l *wire.Load) { l.DeviceIndex = 7 })},
		{"an unknown model", "no such file", loaded(func(l *wire.Load) { l.Model = "/nowhere/at/all.gguf" })},
		{"another shape", "not the plan's", loaded(func(l *wire.Load) { l.ConfigJson = []byte(`{"dim":64}`) })},
		{"no shape", "config", loaded(func(l *wire.Load) { l.ConfigJson = []byte(`{`) })},
		{"a budget too small", "are missing", loaded(func(l *wire.Load) { l.BudgetBytes = 1000 })},
		{"no sizes", "micro_batch", loaded(func(l *wire.Load) { l.MicroBatch = 0 })},
		{"a message beyond all limits", "larger than max", loaded(func(l *wire.Load) { l.ConfigJson = make([]byte, 17<<20) })},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRogue(t, address)
			c.do(r)
			if got := r.end(); !strings.Contains(got, c.want) {
				t.Errorf("session ended with %q: want %q", got, c.want)
			}
		})
	}
	p := plan(t, "demo", devices(t, 1), demoWorkload(), cut{0, 10})
	p.Topology.Devices[0].Address = address
	run(t, &exec.Runner{Options: exec.Options{Insecure: true}}, p)
}

// TestBusy: a worker serves one coordinator at a time.
func TestBusy(t *testing.T) {
	address := serve(t, exec.WorkerOptions{Insecure: true})
	first, second := newRogue(t, address), newRogue(t, address)
	first.ready()
	l := load()
	l.TimeoutNs = int64(200 * time.Millisecond)
	second.load(l)
	if got := second.end(); !strings.Contains(got, "busy") {
		t.Errorf("the second session ended with %q", got)
	}
}

// TestRoguePeer: passes are taken only from who knows the session and holds the
// stage before, and only in the sizes that the load announced.
func TestRoguePeer(t *testing.T) {
	address := serve(t, exec.WorkerOptions{Insecure: true})
	pass := func(stage uint32) *wire.Pass {
		return &wire.Pass{Stage: stage, Sequences: []*wire.Sequence{{New: 1, Reserve: 8}}}
	}
	many := pass(2)
	many.Sequences = make([]*wire.Sequence, 3)
	for _, c := range []struct {
		name, session, device string
		pass                  *wire.Pass
		values                int
		want                  string
	}{
		{"an unknown session", "fedcba9876543210", "1", pass(2), 128, "no such session"},
		{"a sender without a number", rogueSession, "x", pass(2), 128, "sender"},
		{"a sender without the stage before", rogueSession, "5", pass(2), 128, "has not the stage before"},
		{"a stage that is elsewhere", rogueSession, "1", pass(1), 128, "not here"},
		{"too few values", rogueSession, "1", pass(2), 127, "middle of a message"},
		{"too many values", rogueSession, "1", pass(2), 129, "want 128"},
		{"too many sequences", rogueSession, "1", many, 128, "3 sequences"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRogue(t, address)
			r.ready()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			ctx = metadata.AppendToOutgoingContext(ctx, "edgeshard-session", c.session, "edgeshard-device", c.device)
			stream, err := r.client.Forward(ctx)
			if err != nil {
				t.Fatal(err)
			}
			_ = wire.NewMessage(c.pass, make([]float32, c.values)).Send(stream)
			_ = stream.CloseSend()
			err = stream.RecvMsg(new(wire.ForwardReply))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v: want %q", err, c.want)
			}
		})
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
