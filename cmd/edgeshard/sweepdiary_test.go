package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/experiments"
	"github.com/edgeshard/edgeshard/tui"
)

const smallSweep = `
name = "small"
[base]
topology = "home-lab"
model = "tinyllama-1.1b"
tokens = 4
[[axis]]
key = "batch"
values = [1, 2, 4]
`

// TestSweepDiary: a sweep's folder tells how far it is, with the results so far,
// and at the end that it has ended.
func TestSweepDiary(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "deep", "small-results")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	spec, err := experiments.ParseSpec("small.toml", []byte(smallSweep))
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	s := &experiments.Sweep{Spec: spec, Workers: 1, Tell: func(experiments.Progress) { told++ }}
	d := openDiary(dir, s)
	results, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.writeSoFar(0)
	d.write()
	found := sweepIn(t, top)
	if found.State != tui.SweepRuns || found.Done != 3 || found.Points != 3 || found.Experiment != "small" || found.Name != filepath.Join("deep", "small-results") {
		t.Errorf("while it runs: %+v", found)
	}
	o, err := openForTUI(found.Results, nil)
	if err != nil || len(o.Table.Rows) != 3 {
		t.Fatalf("results so far: %+v, %v", o, err)
	}
	d.close(nil)
	if _, err := writeResults(dir, experiments.NewTable(spec, "", results)); err != nil {
		t.Fatal(err)
	}
	if found := sweepIn(t, top); found.State != tui.SweepEnded || filepath.Base(found.Results) != "results.csv" {
		t.Errorf("ended: %+v", found)
	}
	if told != 3 {
		t.Errorf("%d points told to others: want 3", told)
	}
}

// TestStoppedSweeps: one that was interrupted says so, one that fell silent counts
// as stopped; a folder without a sweep is none.
func TestStoppedSweeps(t *testing.T) {
	top := t.TempDir()
	spec, err := experiments.ParseSpec("small.toml", []byte(smallSweep))
	if err != nil {
		t.Fatal(err)
	}
	d := openDiary(top, &experiments.Sweep{Spec: spec})
	d.close(errors.New("interrupted"))
	if found := sweepIn(t, top); found.State != tui.SweepStopped || found.Error != "interrupted" {
		t.Errorf("interrupted: %+v", found)
	}
	old := time.Now().Add(-time.Hour).Format(time.RFC3339)
	text := `{"experiment": "small", "points": 9, "done": 2, "updated_at": "` + old + `"}`
	if err := os.WriteFile(filepath.Join(top, diaryFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if found := sweepIn(t, top); found.State != tui.SweepStopped || found.Done != 2 {
		t.Errorf("silent: %+v", found)
	}
	if all, err := sweepsForTUI(t.Context(), t.TempDir()); len(all) != 0 || err != nil {
		t.Errorf("an empty folder: %+v, %v", all, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sweepsForTUI(ctx, top); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v: want cancelled", err)
	}
	if err := (&sweeper{}).stop(top); err == nil || !strings.Contains(err.Error(), "not started from this screen") {
		t.Errorf("error %v: want one that says who started it", err)
	}
	if _, err := (&sweeper{}).start(filepath.Join(top, "none.toml")); err == nil || !strings.Contains(err.Error(), "none.toml") {
		t.Errorf("error %v: want one with the file", err)
	}
}

func sweepIn(t *testing.T, dir string) tui.Sweep {
	t.Helper()
	all, err := sweepsForTUI(t.Context(), dir)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d sweeps, %v: want 1", len(all), err)
	}
	return all[0]
}
