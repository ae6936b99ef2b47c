package exec

import (
	"time"

	"github.com/edgeshard/edgeshard/exec/llama"
)

const (
	// warmUpRows bounds the pass that warms a shard up, in rows.
	warmUpRows = 256
	// warmRounds is how often it is run on a worker that is slowed, if that has not
	// taken warmTime before; no pause is longer, however slow the worker.
	warmRounds, warmTime = 4, 20 * time.Millisecond
)

// warmUp runs passes of zeros of the size to come, so that the first real ones find
// their memory there. Where the worker held some of the weights already a run is
// under way, which does without.
func (s *session) warmUp(held bool) error {
	for stage, sh := range s.shards {
		if sh == nil || held {
			continue
		}
		if err := sh.shard.Prepare(int(s.load.GetInFlight()), min(int(s.load.GetPositions()), s.config.Context)); err != nil {
			return err
		}
		if err := s.warm(stage, sh.shard); err != nil {
			return err
		}
	}
	return nil
}

// warm runs a prefill and a decode pass of a micro-batch. A worker that is slowed and
// whose passes are short repeats them, with its pauses after them: the first ones meet
// cold code, and its first real pass would take that many times over. Without the
// pauses little of that is gained.
func (s *session) warm(stage int, shard *llama.Shard) error {
	begin := s.worker.clock()
	for round := range warmRounds {
		if err := s.warmRound(stage, shard, round); err != nil {
			return err
		}
		if s.pace.with(1) <= 1 || time.Duration(s.worker.clock()-begin) > warmTime {
			break
		}
	}
	return nil
}

// warmRound runs both passes once, in KV caches of the full length.
func (s *session) warmRound(stage int, shard *llama.Shard, round int) error {
	rows := min(int(s.load.GetPromptTokens()), warmUpRows, int(s.load.GetPositions()), s.config.Context)
	var batch []llama.Seq
	for i := range min(int(s.load.GetMicroBatch()), max(1, warmUpRows/rows)) {
		id := -1 - i
		if err := shard.Reserve(id, min(int(s.load.GetPositions()), s.config.Context)); err != nil {
			return err
		}
		defer shard.Release(id)
		batch = append(batch, llama.Seq{ID: id})
	}
	past := 0
	for step, n := range []int{rows, 1} {
		if past+n > int(s.load.GetPositions()) {
			break
		}
		for i := range batch {
			batch[i].Past, batch[i].N, batch[i].Tokens = past, n, make([]int, n)
		}
		work, err := s.warmPass(shard, batch)
		if err != nil {
			return err
		}
		kind := kindOfPass{stage: uint32(stage), rows: uint32(len(batch) * n), decode: step > 0}
		s.habits.expect(kind, work)
		if round > 0 {
			sleep(s.ctx, min(warmTime, time.Duration((s.pace.with(n)-1)*float64(work))))
		}
		past += n
	}
	return nil
}

// warmPass runs a pass of zeros and returns its work.
func (s *session) warmPass(shard *llama.Shard, batch []llama.Seq) (time.Duration, error) {
	var x []float32
	if shard.From > 0 {
		x = make([]float32, len(batch)*batch[0].N*s.config.Dim)
	}
	watch := s.worker.stopwatch()
	_, err := shard.Forward(batch, x)
	return s.worker.work(watch), err
}
