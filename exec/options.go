package exec

import (
	"context"
	"log/slog"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/weights"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/scenarios"
)

// DefaultTimeout is the silence after which a worker, or a coordinator, counts
// as gone.
const DefaultTimeout = 2 * time.Second

// Options tell a Runner how to reach the devices of a plan. A device with an
// address is the worker there; one without gets a local worker.
type Options struct {
	// Local is the command of a local worker's process, which must call
	// ServeLocal. Nil: local workers run within this process, connected in memory.
	Local []string
	// Threads of a local worker's computations; 0: as many as there are CPUs.
	Threads int
	// Emulate makes local workers behave as the topology says: slowed by their
	// device's slowdown, with links of its bandwidths and latencies between them.
	Emulate bool
	// Machine, if any, is a profile of this machine, of the plan's model: devices
	// are slowed to the plan's costs of them, relative to it. Without one they are
	// slowed by their slowdown alone.
	Machine *edgeshard.Profile
	// Imitated, if any, is told at the end how local workers stood for devices.
	Imitated func(*edgeshard.Imitation)
	// Scenario, if any, says how links and devices that are emulated differ from the
	// topology, and what goes wrong: its faults are really done to local workers and
	// the links between them. See CheckScenario for what of it is followed.
	Scenario *scenarios.Scenario
	// Model is opened in place of the model the plan names, here and by local workers.
	Model string

	// Credentials for workers with an address. Runs with local workers only need
	// none: they make their own.
	Credentials *wire.Credentials
	// Insecure turns TLS off; then all workers must have loopback addresses.
	Insecure bool
	// Timeout is the silence after which a worker counts as dead; 0: DefaultTimeout.
	Timeout time.Duration

	// Cache remembers the hashes of the model's weights; nil: nobody does.
	Cache *weights.Store
	// Replan makes a new plan without some devices: with it, a run goes on when a
	// worker or a link fails. The plan it is given has the topology as it has been
	// found to be; the same function serves the simulator. Nil: a failure ends the run.
	Replan func(ctx context.Context, p *edgeshard.Plan, without []int) (*edgeshard.Plan, error)
	// Adapt looks for a better plan also when workers or links are, for long enough,
	// clearly slower or faster than the plan reckons with.
	Adapt bool
	// Journal, if any, keeps the tokens of a Run, which goes on from it. Tokens of
	// requests that are submitted to an Engine are not kept.
	Journal *Journal
	// Rejoin is how long to wait for a remote source that is lost.
	Rejoin time.Duration

	// Progress, if any, is told how the start goes, from one goroutine at a time.
	Progress func(Progress)
	// Log, if any, gets what an operator may want to know.
	Log *slog.Logger
}

// Progress tells how far a device's worker is.
type Progress struct {
	Device string
	State  State
	Bytes  int64 // of weights, so far in this state
	Total  int64 // of weights in this state; 0 while Starting
}

// A State is a step of a worker's start.
type State string

// The states, in order.
const (
	Starting State = "starting" // its process, or the connection to it
	Hashing  State = "hashing"  // its weights, so that it can tell whether it has them
	Fetching State = "fetching" // those it does not have
	Loading  State = "loading"
	Ready    State = "ready"
)

// WorkerOptions configure a worker.
type WorkerOptions struct {
	Name    string // of the device; that of the certificate, if it has one
	Version string // of the program, told to coordinators
	Model   string // opened in place of what a coordinator asks for
	Memory  int64  // budget in bytes; 0: the coordinator's word
	// Cache keeps weights that others sent; nil: the worker needs its own copy of
	// the model.
	Cache   *weights.Store
	Threads int // to compute with; 0: as many as there are CPUs

	// Credentials for mutual TLS. Without them the worker serves only with
	// Insecure, in plaintext and on a loopback address.
	Credentials *wire.Credentials
	Insecure    bool
	// Coordinators are the names in the certificates that may open a session;
	// none: CoordinatorName.
	Coordinators []string

	// OwnProcess says that the process does nothing else, so that the memory of
	// the process is what the worker is measured to need.
	OwnProcess bool
	// Timeout is the silence after which a peer counts as gone; 0: DefaultTimeout.
	Timeout time.Duration
	// Log, if any, gets what an operator may want to know.
	Log *slog.Logger
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

func timeout(d time.Duration) time.Duration {
	if d <= 0 {
		return DefaultTimeout
	}
	return d
}
