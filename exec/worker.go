package exec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// A Worker is a device's daemon: it holds shards of a model for one coordinator
// at a time and runs passes through them.
type Worker struct {
	wire.UnimplementedWorkerServer
	options WorkerOptions
	started time.Time // the zero of its clock
	dial    wire.Dialer
	pool    *kernel.Pool
	path    *kernel.Path
	turns   *turns

	lanes     sync.WaitGroup
	computing atomic.Pointer[computation] // nil while idle

	mu      sync.Mutex
	session *session      // nil while free
	kept    *store        // between two sessions of a coordinator
	tenant  string        // the coordinator that is served, or was last
	renewed time.Time     // when its last beat came
	vacancy chan struct{} // holds an element while free
}

var _ wire.WorkerServer = (*Worker)(nil)

// NewWorker returns a worker that serves nobody yet.
func NewWorker(o WorkerOptions) *Worker {
	w := &Worker{options: o, started: time.Now(), dial: wire.TCP, vacancy: make(chan struct{}, 1)}
	w.vacancy <- struct{}{}
	if o.Credentials == nil {
		w.dial = wire.Loopback
	}
	return w
}

// Serve answers coordinators and other workers on l until ctx ends, and then
// returns nil; it closes l. It refuses to serve in plaintext without
// WorkerOptions.Insecure, or off loopback.
func (w *Worker) Serve(ctx context.Context, l net.Listener) error {
	defer func() { _ = l.Close() }()
	if err := w.checkSecurity(l.Addr()); err != nil {
		return err
	}
	var err error
	if w.path, err = kernel.Default(); err != nil {
		return fmt.Errorf("worker %s: %w", w.options.Name, err)
	}
	w.pool = kernel.NewPool(w.options.Threads)
	defer w.pool.Close()
	if w.options.OwnProcess {
		w.turns = newTurns()
		defer w.turns.close()
	}
	defer func() { w.drop(w.take("", "")) }()
	defer w.lanes.Wait()
	server := wire.NewServer(w, func(l *wire.Lane) { w.lanes.Go(func() { w.serveLane(l) }) }, w.options.Credentials, timeout(w.options.Timeout), logger(w.options.Log))
	defer context.AfterFunc(ctx, server.Stop)()
	defer server.Stop()
	if err := server.Serve(wire.Limit(l, w.options.Credentials != nil, logger(w.options.Log))); err != nil && ctx.Err() == nil {
		return fmt.Errorf("worker %s: %w", w.options.Name, err)
	}
	return nil
}

func (w *Worker) checkSecurity(a net.Addr) error {
	if w.options.Credentials != nil {
		return nil
	}
	if !w.options.Insecure {
		return errors.New("worker has no credentials: want a certificate, or plaintext by an explicit flag")
	}
	if !wire.IsLoopback(a) {
		return fmt.Errorf("plaintext on %s refused: only a loopback address may go without TLS", a)
	}
	return nil
}

// clock is the worker's monotonic time in ns, the only one it ever tells.
func (w *Worker) clock() int64 { return int64(time.Since(w.started)) }

// Hello tells who the worker is.
func (w *Worker) Hello(ctx context.Context, r *wire.HelloRequest) (*wire.HelloReply, error) {
	if err := w.onlyCoordinator(ctx); err != nil {
		return nil, err
	}
	if r.GetProtocol() != wire.Protocol {
		return nil, status.Errorf(codes.FailedPrecondition, "protocol %d: this worker speaks %d", r.GetProtocol(), wire.Protocol)
	}
	return w.self(), nil
}

func (w *Worker) self() *wire.HelloReply {
	return &wire.HelloReply{
		Protocol: wire.Protocol, Name: w.options.Name, Version: w.options.Version, Kernel: w.path.Name(),
		Threads: uint32(w.pool.Threads()), MemoryBytes: w.options.Memory, ClockNs: w.clock(),
	}
}

// claim makes s the worker's session. If another is on, it may be about to end:
// claim waits for that, half of the time in which its coordinator gives up, and
// for one of the same coordinator as long as that may take.
func (w *Worker) claim(s *session) error {
	patience := time.Duration(s.load.GetTimeoutNs()) / 2
	if id := s.load.GetCoordinator(); id != "" && w.silence(id) < patience {
		patience = stall
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.vacancy:
		w.lease(s.load.GetCoordinator())
		w.set(s)
		return nil
	case <-timer.C:
		return status.Errorf(codes.ResourceExhausted, "worker %s is busy: it serves another coordinator", w.options.Name)
	case <-s.ctx.Done():
		return status.FromContextError(s.ctx.Err()).Err()
	}
}

func (w *Worker) free() {
	w.set(nil)
	w.vacancy <- struct{}{}
}

func (w *Worker) set(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.session = s
}

// Metadata of a call between workers of a session.
const (
	sessionKey = "edgeshard-session"
	senderKey  = "edgeshard-device"
)

// outgoing returns a context for calls to other workers of the session.
func (s *session) outgoing(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, sessionKey, s.load.GetSession(),
		senderKey, strconv.FormatUint(uint64(s.load.GetDeviceIndex()), 10))
}

// serveLane takes passes from the worker before this one in the pipeline.
func (w *Worker) serveLane(l *wire.Lane) {
	defer func() { _ = l.Close() }()
	g, err := l.Greeting()
	if err != nil {
		return
	}
	s, err := w.sessionFor(g.GetSession(), l.PeerName(), g.GetDevice())
	if err == nil {
		if err = l.Answer(nil); err == nil {
			err = s.receive(l, g.GetDevice())
		}
	}
	_ = l.Answer(err) // who does not read it knows, or has gone
}

// sessionOf returns the session that a caller knows the name of. If it is not
// the coordinator it must be a device of the session, by its certificate.
func (w *Worker) sessionOf(ctx context.Context) (*session, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	id, sender := md.Get(sessionKey), md.Get(senderKey)
	if len(id) != 1 {
		return nil, status.Error(codes.PermissionDenied, errNoSession.Error())
	}
	if w.coordinates(ctx) {
		s, err := w.namedSession(id[0])
		if err != nil {
			err = status.Error(codes.PermissionDenied, err.Error())
		}
		return s, err
	}
	if len(sender) != 1 {
		return nil, status.Error(codes.InvalidArgument, "want the sender's device")
	}
	device, err := strconv.ParseUint(sender[0], 10, 32)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "sender: %v", err)
	}
	s, err := w.sessionFor(id[0], wire.PeerName(ctx), uint32(device))
	if err != nil {
		return nil, status.Error(codes.PermissionDenied, err.Error())
	}
	return s, nil
}

var errNoSession = errors.New("no such session")

// sessionFor returns the session of a name for one of its devices, which its
// certificate must be of.
func (w *Worker) sessionFor(id, certificate string, device uint32) (*session, error) {
	s, err := w.namedSession(id)
	if err != nil || w.options.Credentials == nil {
		return s, err
	}
	for _, m := range s.load.GetMembers() {
		if m.GetDevice() == device && m.GetCertificate() == certificate {
			return s, nil
		}
	}
	s.log().Warn("call refused", "certificate", certificate)
	return nil, fmt.Errorf("%s is no such device of the session", certificate)
}

// coordinates tells whether a caller's certificate is a coordinator's.
func (w *Worker) coordinates(ctx context.Context) bool {
	if w.options.Credentials == nil {
		return true
	}
	names := w.options.Coordinators
	if len(names) == 0 {
		names = []string{CoordinatorName}
	}
	return slices.Contains(names, wire.PeerName(ctx))
}

// onlyCoordinator refuses a call of anyone else.
func (w *Worker) onlyCoordinator(ctx context.Context) error {
	if w.coordinates(ctx) {
		return nil
	}
	name := wire.PeerName(ctx)
	logger(w.options.Log).Warn("call refused", "certificate", name, "why", "not the coordinator's")
	return status.Errorf(codes.PermissionDenied, "the certificate of %s is not the coordinator's: worker %s serves nobody else", name, w.options.Name)
}

func (w *Worker) namedSession(id string) (*session, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.session == nil || id != w.session.load.GetSession() {
		return nil, errNoSession
	}
	return w.session, nil
}
