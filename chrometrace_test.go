package edgeshard_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/golden"
	"github.com/edgeshard/edgeshard/topologies"
)

// twoDevices is a plan of two stages, and the spans of a run of it by hand: a
// request of two tokens, and one given up.
func twoDevices() (*edgeshard.Plan, []edgeshard.Span) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	p := &edgeshard.Plan{Topology: &topologies.Topology{Name: "pair", Devices: []topologies.Device{{Name: "near"}, {Name: `"far"`}}}}
	return p, []edgeshard.Span{
		{What: edgeshard.Load, Request: -1, Stage: -1, Device: 1, To: -1, Bytes: 700, End: ms(2)},
		{What: edgeshard.OOM, Request: 1, Stage: -1, Device: 1, To: -1, Bytes: 55, Start: ms(5), End: ms(5)},
		{What: edgeshard.Queue, Request: 0, Stage: -1, Device: -1, To: -1, Start: ms(3), End: ms(5)},
		{What: edgeshard.Compute, Request: 0, Batch: 1, Device: 0, To: -1, Start: ms(5), End: ms(15)},
		{What: edgeshard.Send, Request: 0, Batch: 1, Stage: 1, Device: 0, To: 1, Bytes: 64, Start: ms(15), Free: ms(20), End: ms(22) + 7},
		{What: edgeshard.Compute, Request: 0, Batch: 1, Stage: 1, Device: 1, To: -1, Start: ms(22) + 7, End: ms(42)},
		{What: edgeshard.Back, Request: 0, Batch: 1, Stage: -1, Device: 1, Bytes: 4, Start: ms(42), Free: ms(42), End: ms(43)},
		{What: edgeshard.Token, Request: 0, Stage: -1, Device: -1, To: -1, Start: ms(3), End: ms(43)},
		{What: edgeshard.Compute, Request: 0, Batch: 1, Step: 1, Device: 0, To: -1, Start: ms(43), End: ms(63)},
		{What: edgeshard.Token, Request: 0, Step: 1, Stage: -1, Device: -1, To: -1, Start: ms(43), End: ms(83)},
		{What: edgeshard.Memory, Request: -1, Stage: -1, Device: 1, To: -1, Bytes: 1000, Start: ms(2), End: ms(83)},
	}
}

func TestTraceGolden(t *testing.T) {
	p, spans := twoDevices()
	var out bytes.Buffer
	if err := edgeshard.WriteTrace(&out, p, spans); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(out.Bytes()) {
		t.Errorf("not JSON: %s", out.Bytes())
	}
	golden.Match(t, "trace.json", out.Bytes())
}

// TestTraceOfADeath: what faults and recoveries leave in a trace.
func TestTraceOfADeath(t *testing.T) {
	p, _ := twoDevices()
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	spans := []edgeshard.Span{
		{What: edgeshard.Detection, Request: -1, Stage: -1, Device: 1, To: -1, Start: ms(10), End: ms(13)},
		{What: edgeshard.Lost, Request: 4, MicroBatch: 2, Batch: 1, Step: 3, Stage: -1, Device: -1, To: -1, Start: ms(9), End: ms(13)},
		{What: edgeshard.Replan, Request: -1, Stage: -1, Device: 1, To: -1, Start: ms(13), End: ms(14)},
		{What: edgeshard.Rebuild, Request: 4, MicroBatch: 2, Batch: 1, Step: 3, Stage: -1, Device: -1, To: -1, Start: ms(15), End: ms(20)},
		{What: edgeshard.Preempt, Request: 5, MicroBatch: 3, Batch: 1, Step: 1, Stage: -1, Device: -1, To: -1, Start: ms(15), End: ms(21)},
		{What: edgeshard.Failed, Request: 6, Stage: -1, Device: 1, To: -1, End: ms(22)},
		{What: edgeshard.Down, Request: -1, Stage: -1, Device: 0, To: 1, Start: ms(1), End: ms(2)},
		{What: edgeshard.Down, Request: -1, Stage: -1, Device: 1, To: -1, Start: ms(10), End: ms(30)},
	}
	var out bytes.Buffer
	if err := edgeshard.WriteTrace(&out, p, spans); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(out.Bytes()) {
		t.Errorf("not JSON: %s", out.Bytes())
	}
	golden.Match(t, "death.json", out.Bytes())
}

func TestEmptyTrace(t *testing.T) {
	p, _ := twoDevices()
	var out bytes.Buffer
	if err := edgeshard.WriteTrace(&out, p, nil); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("error %v, trace %s", err, out.Bytes())
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestTraceToAFullDisk(t *testing.T) {
	p, spans := twoDevices()
	if err := edgeshard.WriteTrace(full{}, p, spans); !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}
