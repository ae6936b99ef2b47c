package exec

import "github.com/edgeshard/edgeshard/exec/llama"

// warmUpRows bounds the pass that warms a shard up, in rows.
const warmUpRows = 256

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

// warm runs a prefill and a decode pass of a micro-batch, in KV caches of the full
// length.
func (s *session) warm(stage int, shard *llama.Shard) error {
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
	for _, n := range []int{rows, 1} {
		if past+n > int(s.load.GetPositions()) {
			break
		}
		for i := range batch {
			batch[i].Past, batch[i].N, batch[i].Tokens = past, n, make([]int, n)
		}
		var x []float32
		if shard.From > 0 {
			x = make([]float32, len(batch)*n*s.config.Dim)
		}
		watch := s.worker.stopwatch()
		if _, err := shard.Forward(batch, x); err != nil {
			return err
		}
		s.habits.expect(kindOfPass{stage: uint32(stage), rows: uint32(len(batch) * n), decode: past > 0}, s.worker.work(watch))
		past += n
	}
	return nil
}
