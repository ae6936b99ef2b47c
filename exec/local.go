package exec

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/topologies"
)

const (
	// startTimeout is how long a worker process may take to tell its address.
	startTimeout = 30 * time.Second
	// stopTimeout is how long it may take to end when asked to.
	stopTimeout = 2 * time.Second
	// keptOutput is how much of a worker's last words is kept: a program that
	// crashes tells of all that it was doing.
	keptOutput = 64 << 10
)

// A localWorker stands for a device without an address: a process, or a
// goroutine of this one.
type localWorker struct {
	stop   func()        // asks it to end
	kill   func()        // ends it
	freeze func(on bool) // stops it, or lets it on
	done   chan struct{} // closed when it has ended
	why    error         // it ended; read after done
	cage   *cage         // keeps it to its memory; nil: nothing of the system's does
}

// endExplains is how long the end of a worker's process is waited for, to explain
// a broken connection.
const endExplains = 100 * time.Millisecond

// awaitEnd waits a moment for a local worker to have ended.
func (l *localWorker) awaitEnd(ctx context.Context) {
	timer := time.NewTimer(endExplains)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// startLocal starts the local worker of a member.
func (c *cluster) startLocal(ctx context.Context, m *member) error {
	pem, err := c.security.forLocal(m.name)
	if err != nil {
		return err
	}
	o := &orders{
		Name: m.name, Host: c.listenHost, Model: c.options.Model, Threads: c.options.Threads,
		Timeout: c.timeout, PEM: pem,
	}
	if c.security.own != nil {
		o.Coordinator = c.security.own.Name()
	}
	if c.options.Local == nil {
		c.startWithin(m, o)
	} else if err := c.startProcess(ctx, m, o); err != nil {
		return err
	}
	if pem != nil && c.security.authority == nil {
		m.certificate = c.security.own.Name()
	}
	l := m.worker()
	c.tasks.Go(func() { m.attend(l) })
	return nil
}

// attend notices the end of a local worker.
func (m *member) attend(l *localWorker) {
	select {
	case <-l.done:
		m.fail(gone, fmt.Errorf("its worker ended: %w", l.why))
	case <-m.cluster.ctx.Done():
	}
}

// startWithin starts a worker in this process, reachable in memory.
func (c *cluster) startWithin(m *member, o *orders) {
	m.address = memoryAddress(m)
	w := NewWorker(WorkerOptions{
		Name: o.Name, Model: o.Model, Threads: o.Threads, Insecure: true, Timeout: o.Timeout, Log: c.options.Log,
	})
	w.dial = c.memory.dialFrom(m.address)
	ctx, cancel := context.WithCancel(context.Background())
	l := &localWorker{stop: cancel, kill: cancel, done: make(chan struct{})}
	l.freeze = func(on bool) { c.memory.freeze(memoryAddress(m), on) }
	c.memory.freeze(m.address, false) // as the one before may have been
	listener := c.memory.listen(m.address)
	go func() {
		defer close(l.done)
		l.why = errors.Join(errors.New("it was stopped"), w.Serve(ctx, listener))
	}()
	m.setWorker(l)
}

// startProcess starts a worker process and waits for its address.
func (c *cluster) startProcess(ctx context.Context, m *member, o *orders) error {
	cmd := exec.Command(c.options.Local[0], c.options.Local[1:]...)
	cmd.SysProcAttr = ownGroup()
	last := &tail{}
	cmd.Stderr, cmd.WaitDelay = last, stopTimeout
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("worker process: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("worker process: %w", err)
	}
	cores, err := topologies.ParseCores(c.plan.Topology.Devices[m.device].Cores)
	if err != nil {
		return err
	}
	if err := startPinned(cores, cmd.Start); err != nil {
		return fmt.Errorf("worker process: %w", err)
	}
	cage := c.cage(m, cmd.Process.Pid)
	l := &localWorker{stop: func() { _ = stdin.Close() }, kill: func() { _ = cmd.Process.Kill() }, done: make(chan struct{}), cage: cage}
	l.freeze = func(on bool) { freeze(cmd.Process, on) }
	m.setWorker(l)
	address := make(chan string, 1)
	go func() {
		defer close(l.done)
		address <- firstLine(stdout)
		l.why = last.explain(cmd.Wait())
		if cage != nil {
			_ = cage.remove() // a folder that is left holds nothing
		}
	}()
	c.log.Info("worker process", "device", m.name, "pid", cmd.Process.Pid)
	_ = json.NewEncoder(stdin).Encode(o) // a process that does not read tells no address
	m.address, err = l.awaitAddress(ctx, c.options.Local[0], address)
	return err
}

// processMemory is what a worker's process takes by itself, at most.
const processMemory = 64 << 20

// cage keeps a worker's process to its device's memory where the system can; nil
// where it cannot. The process waits for its orders meanwhile.
func (c *cluster) cage(m *member, pid int) *cage {
	spec := c.plan.Spec()
	budget := spec.Budget(m.device)
	root := groupRoot()
	if !c.options.Emulate || budget <= 0 || budget > math.MaxInt64/8 || root == "" {
		return nil
	}
	g, err := newCage(root, m.name, budget+max(0, processMemory-spec.Overhead(m.device)))
	if err == nil {
		if err = g.join(pid); err == nil {
			return g
		}
		err = errors.Join(err, g.remove())
	}
	c.log.Info("no cgroup", "device", m.name, "err", err)
	return nil
}

// awaitAddress waits for the line with which a worker process tells its address.
func (l *localWorker) awaitAddress(ctx context.Context, command string, lines <-chan string) (string, error) {
	timer := time.NewTimer(startTimeout)
	defer timer.Stop()
	select {
	case line := <-lines:
		var told announcement
		if err := json.Unmarshal([]byte(line), &told); err != nil || told.Address == "" {
			l.stop()
			l.wait()
			return "", fmt.Errorf("%s is no worker: it told no address and ended with %w", command, l.why)
		}
		return told.Address, nil
	case <-timer.C:
		return "", fmt.Errorf("worker process %s told no address within %s", command, startTimeout)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// firstLine returns the first line of r, or what there is of it.
func firstLine(r io.Reader) string {
	line, _ := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	return line
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - keptOutput; extra > 0 {
		t.text = append([]byte(nil), t.text[extra:]...)
	}
	return len(p), nil
}

// lastWords begin the line that says why a program of Go has crashed.
var lastWords = []string{"fatal error: ", "panic: ", "runtime: out of memory"}

// explain returns how a process ended, with the line of its last words that tells
// most: why it crashed, else the first.
func (t *tail) explain(err error) error {
	if err == nil {
		err = errors.New("exit status 0")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.ToValidUTF8(string(bytes.TrimSpace(t.text)), "?")
	words, _, _ := strings.Cut(text, "\n")
	for line := range strings.Lines(text) {
		if slices.ContainsFunc(lastWords, func(w string) bool { return strings.HasPrefix(line, w) }) {
			words = strings.TrimSpace(line)
			break
		}
	}
	if words == "" {
		return err
	}
	return fmt.Errorf("%w (%s)", err, words)
}

// orders are what a worker process is told on its standard input, in one line of
// JSON. That it comes this way keeps the private key from files, arguments and
// environment. The process ends when its input does.
type orders struct {
	Name    string        `json:"name"`
	Host    string        `json:"host"` // to listen on
	Model   string        `json:"model,omitempty"`
	Threads int           `json:"threads,omitempty"`
	Timeout time.Duration `json:"timeout_ns"`
	PEM     *wire.PEM     `json:"pem,omitempty"` // nil: plaintext

	Coordinator string `json:"coordinator,omitempty"` // the name in its certificate

	Awake bool `json:"awake,omitempty"` // nothing else is to be done but to keep the cores awake
}

// An announcement is the line of JSON with which a worker tells where it listens.
type announcement struct {
	Address string `json:"address"`
}
