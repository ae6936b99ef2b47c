package exec

import (
	"errors"
	"fmt"
	"time"

	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// A stageShard is the shard of one stage, and the sequences it has KV caches for.
type stageShard struct {
	shard *llama.Shard
	live  map[int64]struct{}
}

// checkLoad reports what no coordinator in its right mind asks for.
func checkLoad(l *wire.Load) error {
	const most = 1 << 20
	switch {
	case l == nil:
		return errors.New("want a load first")
	case len(l.GetSession()) < 16 || len(l.GetSession()) > 64:
		return fmt.Errorf("session id of %d characters: want 16 to 64", len(l.GetSession()))
	case len(l.GetStages()) == 0 || len(l.GetStages()) > most:
		return fmt.Errorf("%d stages", len(l.GetStages()))
	case l.GetTimeoutNs() < int64(100*time.Millisecond) || l.GetTimeoutNs() > int64(time.Hour):
		return fmt.Errorf("timeout of %s: want 100ms to 1h", time.Duration(l.GetTimeoutNs()))
	case l.GetBudgetBytes() < 0 || l.GetOverheadBytes() < 0:
		return errors.New("negative memory")
	}
	if l.GetChunk() > l.GetPositions() {
		return fmt.Errorf("chunk is %d: want at most %d positions", l.GetChunk(), l.GetPositions())
	}
	for name, n := range map[string]uint32{
		"micro_batch": l.GetMicroBatch(), "prompt_tokens": l.GetPromptTokens(),
		"positions": l.GetPositions(), "in_flight": l.GetInFlight(),
	} {
		if n < 1 || n > most {
			return fmt.Errorf("%s is %d: want 1 to %d", name, n, most)
		}
	}
	return nil
}

// open loads the worker's stages.
func (s *session) open() error {
	begin := time.Now()
	fetched, err := s.stock()
	if err != nil {
		return err
	}
	s.config = s.checkpoint.Config()
	units, err := s.units()
	if err != nil {
		return err
	}
	if err := s.checkFit(units); err != nil {
		return err
	}
	s.store.retain(s.wants)
	missing := s.missing(units)
	if err := s.build(s.progress(weightBytes(missing))); err != nil {
		return err
	}
	s.peak.settle()
	if err := s.warmUp(len(missing) < len(units)); err != nil {
		return err
	}
	s.confine()
	s.tally.weights.Store(weightBytes(units))
	close(s.opened)
	return s.send(&wire.Event{Kind: &wire.Event_Loaded{Loaded: &wire.Loaded{
		WeightBytes: weightBytes(units), ElapsedNs: int64(time.Since(begin)), FetchedBytes: fetched,
		KeptBytes: weightBytes(units) - weightBytes(missing),
	}}})
}

// stock opens the model for the worker's store: what it holds from the session
// before stays, but for the embedding, which lies in the checkpoint's file.
func (s *session) stock() (fetched int64, err error) {
	l := s.load
	s.store = s.worker.take(l.GetCoordinator(), s.worker.options.Model+l.GetModel()+string(l.GetConfigJson()))
	if s.store.checkpoint != nil && len(l.GetWeights()) == 0 {
		s.checkpoint = s.store.checkpoint
		return 0, nil
	}
	if fetched, err = s.openModel(); err != nil {
		if s.unpin != nil {
			s.unpin()
		}
		return fetched, err
	}
	return fetched, s.store.reopen(s.checkpoint, s.unpin)
}

// wants reports whether a unit is in one of the worker's stages.
func (s *session) wants(unit int) bool {
	for i, st := range s.load.GetStages() {
		if s.own(i) && int(st.GetFrom()) <= unit && unit < int(st.GetTo()) {
			return true
		}
	}
	return false
}

// missing returns the units that the worker does not hold; units are those of
// its stages, in order.
func (s *session) missing(units []models.Unit) []models.Unit {
	var missing []models.Unit
	for i, n := 0, 0; i < s.config.Units(); i++ {
		if !s.wants(i) {
			continue
		}
		if s.store.units[i] == nil {
			missing = append(missing, units[n])
		}
		n++
	}
	return missing
}

// units returns the units of the worker's stages.
func (s *session) units() ([]models.Unit, error) {
	var units []models.Unit
	for i, st := range s.load.GetStages() {
		if st.GetFrom() >= st.GetTo() || int(st.GetTo()) > s.config.Units() {
			return nil, fmt.Errorf("stage %d has units [%d, %d): the model has %d", i, st.GetFrom(), st.GetTo(), s.config.Units())
		}
		for u := st.GetFrom(); s.own(i) && u < st.GetTo(); u++ {
			unit, err := s.checkpoint.Unit(int(u))
			if err != nil {
				return nil, err
			}
			units = append(units, unit)
		}
	}
	if len(units) == 0 {
		return nil, errors.New("no stage is on this device")
	}
	return units, nil
}

// own tells whether a stage is on this device.
func (s *session) own(stage int) bool {
	return s.load.GetStages()[stage].GetDevice() == s.load.GetDeviceIndex()
}

func weightBytes(units []models.Unit) (n int64) {
	for i := range units {
		n += units[i].Bytes()
	}
	return n
}

// shortage refuses a load that does not fit the budget.
type shortage struct{ need *wire.Need }

func (e *shortage) Error() string {
	n := e.need
	total := needBytes(n)
	return fmt.Sprintf("the load does not fit: needs %d bytes (weights %d, KV caches %d, workspace %d, runtime %d), the budget is %d: %d are missing",
		total, n.GetWeights(), n.GetKvCaches(), n.GetWorkspace(), n.GetOverhead(), n.GetBudget(), total-n.GetBudget())
}

func needBytes(n *wire.Need) int64 {
	return n.GetWeights() + n.GetKvCaches() + n.GetWorkspace() + n.GetOverhead()
}

// checkFit refuses the load if its peak, all sequences in flight at their full
// length, is above the budget.
func (s *session) checkFit(units []models.Unit) error {
	l := s.load
	n := &wire.Need{Weights: weightBytes(units), Overhead: l.GetOverheadBytes(), Budget: l.GetBudgetBytes()}
	if own := s.worker.options.Memory; own > 0 && (n.Budget == 0 || own < n.Budget) {
		n.Budget = own
	}
	n.Workspace = s.config.WorkspaceBytes(int64(l.GetMicroBatch()) * int64(s.mostNew()))
	for i, st := range l.GetStages() {
		for u := st.GetFrom(); s.own(i) && u < st.GetTo(); u++ {
			n.KvCaches += int64(l.GetInFlight()) * s.config.KVBytes(int(u), int(l.GetPositions()))
			if int(u) == s.config.Units()-1 {
				n.Workspace += s.config.LogitsBytes(int(l.GetMicroBatch()))
			}
		}
	}
	if n.Budget > 0 && needBytes(n) > n.Budget {
		return &shortage{n}
	}
	s.need, s.limit.budget = n, n.Budget
	s.peak.begin(n.Overhead+n.Weights, s.worker.options.OwnProcess)
	return nil
}

// had returns what the session needs and, as its budget, what it had of it when the
// system gave no more: all but the weights that are yet to be loaded and the KV
// caches of the sequences that are yet to begin.
func (s *session) had() *wire.Need {
	if s.need == nil {
		return nil
	}
	n, most := s.need, int64(s.load.GetInFlight())
	least := most
	for _, sh := range s.shards {
		if sh != nil {
			least = min(least, int64(len(sh.live)))
		}
	}
	missing := n.GetKvCaches() / most * (most - least)
	if !s.isOpen() {
		missing = n.GetKvCaches() + n.GetWeights() - s.store.bytes()
	}
	return &wire.Need{
		Weights: n.GetWeights(), KvCaches: n.GetKvCaches(), Workspace: n.GetWorkspace(), Overhead: n.GetOverhead(),
		Budget: needBytes(n) - max(1, missing), Running: true,
	}
}

// isOpen reports that the shards are there.
func (s *session) isOpen() bool { return closed(s.opened) }

// tellEvery is how long a worker works on between two words of its progress.
const tellEvery = 100 * time.Millisecond

// progress returns what tells how far loading is, now and then.
func (s *session) progress(total int64) func(bytes int64) error {
	var done int64
	told := time.Now()
	return func(bytes int64) error {
		done += bytes
		if err := s.ctx.Err(); err != nil || time.Since(told) < tellEvery {
			return err
		}
		told = time.Now()
		return s.send(&wire.Event{Kind: &wire.Event_Loading{Loading: &wire.Loading{Bytes: done, Total: total}}})
	}
}

// build reads the weights and makes the shards.
func (s *session) build(progress func(bytes int64) error) error {
	for i, st := range s.load.GetStages() {
		if !s.own(i) {
			continue
		}
		o := llama.Options{Pool: s.worker.pool, Path: s.worker.path, Progress: progress}
		if err := s.store.add(int(st.GetFrom()), int(st.GetTo()), o); err != nil {
			return err
		}
		shard, err := s.store.shard(int(st.GetFrom()), int(st.GetTo()), o)
		if err != nil {
			return err
		}
		s.shards[i] = &stageShard{shard: shard, live: make(map[int64]struct{})}
	}
	return nil
}
