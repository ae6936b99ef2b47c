package exec

import (
	"encoding/json"
	"fmt"

	"github.com/edgeshard/edgeshard/exec/weights"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// openModel opens the checkpoint that the session's shards are made of: the
// worker's own copy, if it is the coordinator's model, else what others send.
// It returns how many bytes these sent.
func (s *session) openModel() (fetched int64, err error) {
	ref := s.load.GetModel()
	if own := s.worker.options.Model; own != "" {
		ref = own
	}
	own, err := s.openOwn(ref)
	if err == nil {
		s.checkpoint = own
		return 0, nil
	}
	if len(s.load.GetWeights()) == 0 {
		return 0, err
	}
	if s.worker.options.Cache == nil {
		return 0, fmt.Errorf("%w; and the worker has no cache for weights that others send", err)
	}
	s.log().Info("fetching weights", "why", err)
	s.checkpoint, fetched, err = s.fetchModel()
	return fetched, err
}

// openOwn opens a copy of the model on the worker's own disk. If the coordinator
// said what the weights are it makes sure that they are the same.
func (s *session) openOwn(ref string) (models.Checkpoint, error) {
	c, err := models.Open(ref)
	if err != nil {
		return nil, err
	}
	if err = s.checkConfig(c.Config()); err == nil {
		err = s.checkWeights(c, ref)
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("model %s: %w", ref, err)
	}
	return c, nil
}

// checkConfig makes sure that the checkpoint has the shape the plan was made
// for. Name, rotary layout and tying are the checkpoint's own business.
func (s *session) checkConfig(have models.Config) error {
	var want models.Config
	if err := json.Unmarshal(s.load.GetConfigJson(), &want); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	have.Name, have.RopeHalf, have.Tied = want.Name, want.RopeHalf, want.Tied
	if have != want {
		return fmt.Errorf("the checkpoint's shape is not the plan's: want %+v, found %+v", want, have)
	}
	return nil
}

// checkWeights makes sure that a copy's weights are the coordinator's.
func (s *session) checkWeights(c models.Checkpoint, ref string) error {
	if len(s.load.GetWeights()) == 0 {
		return nil
	}
	l := weights.NewLibrary(c, ref, s.worker.options.Cache)
	for _, want := range s.load.GetWeights() {
		if u := int(want.GetUnit()); u >= c.Config().Units() {
			return fmt.Errorf("no unit %d", u)
		}
		have, err := l.Unit(s.ctx, int(want.GetUnit()))
		if err != nil {
			return err
		}
		if name := weights.Differ(want, have); name != "" {
			return fmt.Errorf("not the coordinator's model: tensor %.99q differs", name)
		}
	}
	s.setLibrary(l)
	return nil
}

// fetchModel takes the weights that the cache lacks from whoever sends them.
func (s *session) fetchModel() (models.Checkpoint, int64, error) {
	var config models.Config
	if err := json.Unmarshal(s.load.GetCheckpointJson(), &config); err != nil {
		return nil, 0, fmt.Errorf("config of the coordinator's checkpoint: %w", err)
	}
	if err := s.checkConfig(config); err != nil {
		return nil, 0, err
	}
	fetched, err := s.fetch(s.load.GetWeights())
	if err != nil {
		return nil, fetched, err
	}
	c, err := s.worker.options.Cache.Open(config, s.load.GetWeights())
	return c, fetched, err
}

// tellFetching tells the coordinator how much of what is missing has come.
func (s *session) tellFetching(done, total int64) {
	_ = s.send(&wire.Event{Kind: &wire.Event_Loading{Loading: &wire.Loading{Bytes: done, Total: total, Fetching: true}}})
}
