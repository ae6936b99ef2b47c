package weights

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Source is someone who may have chunks. Want asks for one; Receive returns
// them in the order asked for, nil where the source does not have it. Both end
// with an error when the source is gone.
type Source interface {
	Want(object Digest, chunk int) error
	Receive() ([]byte, error)
}

const (
	// window is how many chunks a source is asked for ahead of its answers.
	window = 2
	// patience is the longest a source may take for a chunk.
	patience = 45 * time.Second
)

// A task is a chunk to fetch.
type task struct {
	part  *partial
	chunk int
}

// A download fetches the chunks that a store lacks, from all sources at once:
// each takes the next when it has delivered the last, so that fast ones bring more.
type download struct {
	progress func(done, total int64)

	mu          sync.Mutex
	changed     chan struct{} // closed and replaced when a task comes back or all is done
	todo        []task
	left        int // chunks that are not there
	done, total int64
	err         error // of the store: nothing helps
}

// Fetch brings objects into the store, as far as they are not there, and
// returns how many bytes came. Sources may come at any time; when one fails, or
// sends what does not match its digest, the others go on. Fetch waits for a
// source that has what is missing until ctx ends. The objects stay in the store
// until unpin is called.
func (s *Store) Fetch(ctx context.Context, objects []Object, sources <-chan Source, progress func(done, total int64)) (fetched int64, unpin func(), err error) {
	unpin = s.pin(objects)
	lacking := s.missing(objects)
	if len(lacking) == 0 {
		return 0, unpin, nil
	}
	fetched, err = s.fetch(ctx, lacking, sources, progress)
	if err != nil {
		unpin()
		return fetched, nil, err
	}
	return fetched, unpin, nil
}

func (s *Store) fetch(ctx context.Context, lacking []Object, sources <-chan Source, progress func(done, total int64)) (int64, error) {
	d := &download{progress: progress, changed: make(chan struct{})}
	for _, o := range lacking {
		d.total += o.Size
	}
	if err := s.makeRoom(d.total); err != nil {
		return 0, err
	}
	open, err := d.begin(s, lacking)
	defer func() {
		for _, p := range open {
			if p.left > 0 {
				_ = p.abandon()
			}
		}
	}()
	if err != nil {
		return 0, err
	}
	resumed := d.done
	err = d.run(ctx, sources)
	return d.done - resumed, err
}

// begin lists what is to be fetched.
func (d *download) begin(s *Store, lacking []Object) (open []*partial, err error) {
	for _, o := range lacking {
		p, lacks, err := s.begin(o)
		if err != nil {
			return open, err
		}
		d.done += o.Size
		for _, c := range lacks {
			d.todo = append(d.todo, task{p, c})
			d.done -= int64(o.chunkBytes(c))
		}
		d.left += len(lacks)
		if len(lacks) > 0 {
			open = append(open, p)
		} else if err := p.finish(); err != nil {
			return open, err
		}
	}
	return open, nil
}

// run takes chunks from sources until all are there.
func (d *download) run(ctx context.Context, sources <-chan Source) error {
	d.progress(d.done, d.total)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group errgroup.Group
	defer func() { _ = group.Wait() }()
	for {
		changed := d.wait()
		if d.over() {
			cancel(nil) // sources have nothing to do
			return d.err
		}
		select {
		case src, ok := <-sources:
			if !ok {
				sources = nil
				continue
			}
			group.Go(func() error { d.drain(ctx, src); return nil })
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("weights: %d of %d bytes are missing: %w", d.total-d.done, d.total, context.Cause(ctx))
		}
	}
}

func (d *download) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

func (d *download) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left == 0 || d.err != nil
}

// signal tells all who wait that something has changed; d.mu is held.
func (d *download) signal() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// drain takes from a source what it has, until all is done or the source fails.
func (d *download) drain(ctx context.Context, src Source) {
	lacks := make(map[Digest]bool) // what the source does not have
	var asked []task
	defer func() { d.giveBack(asked) }()
	for ctx.Err() == nil {
		changed := d.wait()
		for len(asked) < window {
			t, ok := d.take(lacks)
			if !ok {
				break
			}
			asked = append(asked, t)
			if src.Want(t.part.object.ID, t.chunk) != nil {
				return
			}
		}
		if len(asked) == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		data, err := receive(ctx, src)
		if err != nil {
			return
		}
		t := asked[0]
		asked = asked[1:]
		if data == nil {
			lacks[t.part.object.ID] = true
			d.giveBack([]task{t})
		} else if !d.put(t, data) {
			return
		}
	}
}

// receive is src.Receive with a deadline, after which it is left to itself: it
// ends when the source's stream does.
func receive(ctx context.Context, src Source) ([]byte, error) {
	type answer struct {
		data []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		data, err := src.Receive()
		got <- answer{data, err}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case a := <-got:
		return a.data, a.err
	case <-timer.C:
		return nil, errors.New("the source takes too long")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take returns a task that a source may be able to do.
func (d *download) take(lacks map[Digest]bool) (task, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, t := range d.todo {
		if !lacks[t.part.object.ID] {
			d.todo = append(d.todo[:i], d.todo[i+1:]...)
			return t, true
		}
	}
	return task{}, false
}

func (d *download) giveBack(tasks []task) {
	if len(tasks) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.todo = append(d.todo, tasks...)
	d.signal()
}

// put stores a chunk. It reports whether its source can be trusted.
func (d *download) put(t task, data []byte) bool {
	if len(data) != t.part.object.chunkBytes(t.chunk) {
		d.giveBack([]task{t})
		return false
	}
	whole, err := t.part.write(t.chunk, data)
	if errors.Is(err, errForged) {
		d.giveBack([]task{t})
		return false
	}
	if err == nil && whole {
		err = t.part.finish()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.err = err
	}
	d.left--
	d.done += int64(len(data))
	d.progress(d.done, d.total)
	if d.left == 0 || d.err != nil {
		d.signal()
	}
	return true
}
