package exec

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/edgeshard/edgeshard/exec/weights"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// A shelf is the coordinator's copy of the model, for workers that lack theirs.
// It is opened when it is first needed.
type shelf struct {
	ref   string
	cache *weights.Store

	mu         sync.Mutex
	checkpoint models.Checkpoint
	library    *weights.Library
}

func (s *shelf) open() (*weights.Library, models.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.library == nil {
		c, err := models.Open(s.ref)
		if err != nil {
			return nil, models.Config{}, err
		}
		s.checkpoint, s.library = c, weights.NewLibrary(c, s.ref, s.cache)
	}
	return s.library, s.checkpoint.Config(), nil
}

func (s *shelf) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.checkpoint != nil {
		_ = s.checkpoint.Close()
	}
}

// describe tells a remote worker what its weights are.
// Local ones have the coordinator's own files.
func (m *seat) describe(ctx context.Context, load *wire.Load) error {
	c := m.cluster
	if m.local != nil {
		return nil
	}
	library, config, err := c.shelf.open()
	if err != nil {
		return err
	}
	if load.CheckpointJson, err = json.Marshal(config); err != nil {
		return err
	}
	load.Weights, err = m.hash(ctx, library)
	return err
}

// hash describes the units of a member's stages.
func (m *seat) hash(ctx context.Context, library *weights.Library) (all []*wire.UnitWeights, err error) {
	units, c := m.units(), m.cluster
	p := Progress{Device: m.name, State: Hashing}
	for _, u := range units {
		p.Total += c.plan.Footprint().Weights(u)
	}
	for _, u := range units {
		w, err := library.Unit(ctx, u)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
		p.Bytes += c.plan.Footprint().Weights(u)
		c.tell(p)
	}
	return all, nil
}

// units returns the units of a member's stages.
func (m *seat) units() (units []int) {
	for _, st := range m.epoch.plan.Stages {
		for u := st.From; st.Device == m.device && u < st.To; u++ {
			units = append(units, u)
		}
	}
	return units
}

// supplyTries is how often the coordinator begins to supply a worker anew.
const supplyTries = 5

// supply sends a worker the weights it wants, on a connection of its own: beats
// do not wait behind them.
func (m *seat) supply() {
	c := m.cluster
	for range supplyTries {
		err := m.supplyOnce()
		if err == nil || m.epoch.ctx.Err() != nil {
			return
		}
		c.log.Warn("supplying weights", "device", m.name, "err", err)
		select {
		case <-time.After(fetchRetry):
		case <-m.epoch.ctx.Done():
		}
	}
}

func (m *seat) supplyOnce() error {
	c := m.cluster
	conn, err := wire.Dial(m.address, m.certificate, c.security.own, c.dialer())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stream, err := wire.NewWorkerClient(conn).Supply(metadata.AppendToOutgoingContext(m.epoch.ctx, sessionKey, m.epoch.session))
	if err != nil {
		return plainError(err)
	}
	library, _, err := c.shelf.open()
	if err != nil {
		return err
	}
	for {
		want, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil // it has all
		case err != nil:
			return plainError(err)
		case len(want.GetObject()) != len(weights.Digest{}):
			return errors.New("the worker wants no object")
		}
		if err := wire.SendChunk(stream, library.Chunk(weights.Digest(want.GetObject()), int(want.GetChunk()))); err != nil {
			return plainError(err)
		}
	}
}
