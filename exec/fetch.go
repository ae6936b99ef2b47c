package exec

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/edgeshard/edgeshard/exec/weights"
	"github.com/edgeshard/edgeshard/exec/wire"
)

const (
	// fetchRetry is how long a worker waits before it asks a peer again.
	fetchRetry = 300 * time.Millisecond
	// fetchTries is how often it asks a peer that gives no answer.
	fetchTries = 10
)

// fetch brings objects that the cache lacks from the coordinator and the other
// workers, and returns how many bytes came.
func (s *session) fetch(units []*wire.UnitWeights) (int64, error) {
	objects, err := weights.Objects(units)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer close(s.fetched)
	for _, p := range s.load.GetMembers() {
		s.tasks.Go(func() { s.askPeer(ctx, p) })
	}
	told := time.Time{}
	progress := func(done, total int64) {
		if done == total || time.Since(told) > tellEvery {
			told = time.Now()
			s.tellFetching(done, total)
		}
	}
	n, unpin, err := s.worker.options.Cache.Fetch(ctx, objects, s.sources, progress)
	s.unpin = unpin
	return n, err
}

// askPeer makes a source of another worker; it may not have begun its session yet.
func (s *session) askPeer(ctx context.Context, p *wire.Peer) {
	for range fetchTries {
		conn, err := wire.Dial(p.GetAddress(), p.GetCertificate(), s.worker.options.Credentials, s.worker.dial)
		if err != nil {
			return
		}
		err = s.peerSource(ctx, conn)
		_ = conn.Close()
		if err == nil {
			return
		}
		select {
		case <-time.After(fetchRetry):
		case <-ctx.Done():
			return
		}
	}
}

// peerSource offers a worker as a source until ctx ends.
func (s *session) peerSource(ctx context.Context, conn *grpc.ClientConn) error {
	stream, err := wire.NewWorkerClient(conn).Fetch(s.outgoing(ctx))
	if err != nil {
		return err
	}
	if header, err := stream.Header(); err != nil || header == nil {
		return errors.Join(err, errors.New("not in the session"))
	}
	src := newChunkSource(stream)
	select {
	case s.sources <- src:
	case <-ctx.Done():
		return nil
	}
	select {
	case <-src.gone:
		return errors.New("the worker is gone")
	case <-ctx.Done():
		return nil
	}
}

// A chunkSource is the other end of a stream of chunks.
type chunkSource struct {
	stream wire.Stream
	once   sync.Once
	gone   chan struct{} // closed at the first error
}

var _ weights.Source = (*chunkSource)(nil)

func newChunkSource(s wire.Stream) *chunkSource {
	return &chunkSource{stream: s, gone: make(chan struct{})}
}

func (c *chunkSource) Want(object weights.Digest, chunk int) error {
	return c.check(c.stream.SendMsg(&wire.Want{Object: object[:], Chunk: uint32(chunk)}))
}

func (c *chunkSource) Receive() ([]byte, error) {
	data, err := wire.ReceiveChunk(c.stream)
	return data, c.check(err)
}

func (c *chunkSource) check(err error) error {
	if err != nil {
		c.once.Do(func() { close(c.gone) })
	}
	return err
}

// Supply makes the coordinator a source of weights until they are there.
func (w *Worker) Supply(stream grpc.BidiStreamingServer[wire.Chunk, wire.Want]) error {
	if err := w.onlyCoordinator(stream.Context()); err != nil {
		return err
	}
	s, err := w.sessionOf(stream.Context())
	if err != nil {
		return err
	}
	src := newChunkSource(stream)
	select {
	case s.sources <- src:
	case <-s.fetched:
		return nil
	case <-s.ctx.Done():
		return status.Error(codes.Aborted, "the session has ended")
	}
	select {
	case <-s.fetched:
	case <-src.gone:
	case <-s.ctx.Done():
	}
	return nil
}

// Fetch gives another worker of the session the chunks it wants.
func (w *Worker) Fetch(stream grpc.BidiStreamingServer[wire.Want, wire.Chunk]) error {
	s, err := w.sessionOf(stream.Context())
	if err != nil {
		return err
	}
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	for {
		want, err := stream.Recv()
		if err != nil {
			return nil // it has what it wanted, or is gone
		}
		if err := wire.SendChunk(stream, s.chunk(want)); err != nil {
			return err
		}
		if s.ctx.Err() != nil {
			return status.Error(codes.Aborted, "the session has ended")
		}
	}
}

// chunk returns a chunk of the worker's own copy of the model or of its cache.
func (s *session) chunk(w *wire.Want) []byte {
	if len(w.GetObject()) != len(weights.Digest{}) {
		return nil
	}
	id := weights.Digest(w.GetObject())
	if data := s.libraryChunk(id, int(w.GetChunk())); data != nil {
		return data
	}
	if cache := s.worker.options.Cache; cache != nil {
		return cache.Chunk(id, int(w.GetChunk()))
	}
	return nil
}

func (s *session) libraryChunk(id weights.Digest, chunk int) []byte {
	s.sharing.Lock()
	defer s.sharing.Unlock()
	if s.library == nil {
		return nil
	}
	return s.library.Chunk(id, chunk)
}

// setLibrary shares the worker's copy of the model with other workers, or, with
// nil, no longer: it is about to be closed.
func (s *session) setLibrary(l *weights.Library) {
	s.sharing.Lock()
	defer s.sharing.Unlock()
	s.library = l
}
