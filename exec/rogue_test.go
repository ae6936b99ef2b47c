package exec_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/wire"
)

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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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
		MicroBatch: 2, PromptTokens: 4, Positions: 8, InFlight: 2, TimeoutNs: int64(time.Minute),
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

// A roguery is what a coordinator does, and what its session ends with.
type roguery struct {
	name, want string
	do         func(*rogue)
}

// tooSoon are passes that no session is ready for.
func tooSoon() []roguery {
	pass := &wire.Command{Kind: &wire.Command_Pass{Pass: &wire.Pass{}}}
	return []roguery{
		{"a pass before the load", "want a load", func(r *rogue) { r.send(pass) }},
		{"a pass too soon", "before the load", func(r *rogue) {
			r.load(load())
			r.send(pass)
		}},
	}
}

// badPasses are passes of no sense, to shards that are ready.
func badPasses() (all []roguery) {
	long := make([]uint32, 100)
	for _, c := range []struct {
		name, want string
		pass       *wire.Pass
	}{
		{"no sequences", "0 sequences", &wire.Pass{}},
		{"too many sequences", "3 sequences", &wire.Pass{Sequences: make([]*wire.Sequence, 3)}},
		{"too many tokens", "100 positions", &wire.Pass{Sequences: []*wire.Sequence{{New: 100, Tokens: long}}}},
		{"too large a reservation", "reserves 9", &wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{1}, Reserve: 9}}}},
		{"tokens and positions that differ", "0 tokens for 1", &wire.Pass{Sequences: []*wire.Sequence{{New: 1}}}},
		{"a token of no vocabulary", "vocabulary", &wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{9999}, Reserve: 8}}}},
		{"a sequence without a cache", "no KV cache", &wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{1}}}}},
		{"a stage that is elsewhere", "does not start at the source", &wire.Pass{Stage: 1}},
		{"a sampling of no sense", "temperature is -1", &wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{1}, Reserve: 8, Sampling: &wire.Sampling{Temperature: -1}}}}},
		{"alternatives beyond all limits", "4000000000", &wire.Pass{Sequences: []*wire.Sequence{{New: 1, Tokens: []uint32{1}, Reserve: 8, Sampling: &wire.Sampling{LogProbs: true, Alternatives: 4e9}}}}},
	} {
		all = append(all, roguery{c.name, c.want, func(r *rogue) {
			r.ready()
			r.send(&wire.Command{Kind: &wire.Command_Pass{Pass: c.pass}})
		}})
	}
	return all
}

// badLoads are loads that no worker can or should obey.
func badLoads() (all []roguery) {
	for _, c := range []struct {
		name, want string
		change     func(*wire.Load)
	}{
		{"nothing but silence", "no word from the coordinator", func(l *wire.Load) { l.TimeoutNs = int64(200 * time.Millisecond) }},
		{"a short session id", "session id", func(l *wire.Load) { l.Session = "x" }},
		{"no stages", "0 stages", func(l *wire.Load) { l.Stages = nil }},
		{"stages of no unit", "units [5, 11)", func(l *wire.Load) { l.Stages[1].To = 11 }},
		{"stages elsewhere", "no stage is on this device", func(l *wire.Load) { l.DeviceIndex = 7 }},
		{"an unknown model", "no such file", func(l *wire.Load) { l.Model = "/nowhere/at/all.gguf" }},
		{"another shape", "not the plan's", func(l *wire.Load) { l.ConfigJson = []byte(`{"dim":64}`) }},
		{"no shape", "config", func(l *wire.Load) { l.ConfigJson = []byte(`{`) }},
		{"a budget too small", "are missing", func(l *wire.Load) { l.BudgetBytes = 1000 }},
		{"no sizes", "micro_batch", func(l *wire.Load) { l.MicroBatch = 0 }},
		{"a message beyond all limits", "larger than max", func(l *wire.Load) { l.ConfigJson = make([]byte, 17<<20) }},
	} {
		all = append(all, roguery{c.name, c.want, func(r *rogue) {
			l := load()
			c.change(l)
			r.load(l)
		}})
	}
	return all
}

// TestRogueCoordinator: whatever a coordinator says, it gets an error, and the
// worker serves the next one.
func TestRogueCoordinator(t *testing.T) {
	address := serve(t, exec.WorkerOptions{Insecure: true})
	for _, c := range slices.Concat(tooSoon(), badPasses(), badLoads()) {
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
		name, session string
		device        uint32
		pass          *wire.Pass
		values        int
		want          string
	}{
		{"an unknown session", "fedcba9876543210", 1, pass(2), 128, "no such session"},
		{"a sender without the stage before", rogueSession, 5, pass(2), 128, "has not the stage before"},
		{"a stage that is elsewhere", rogueSession, 1, pass(1), 128, "not here"},
		{"too few values", rogueSession, 1, pass(2), 127, "want 128"},
		{"too many values", rogueSession, 1, pass(2), 129, "want 128"},
		{"too many sequences", rogueSession, 1, many, 128, "3 sequences"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRogue(t, address)
			r.ready()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			lane, err := wire.OpenLane(ctx, address, "", nil, wire.Loopback, &wire.Greeting{Session: c.session, Device: c.device})
			if err == nil {
				defer lane.Close()
				_ = lane.Send(c.pass, make([]float32, c.values))
				err = lane.Await()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v: want %q", err, c.want)
			}
		})
	}
}
