package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard/experiments"
	"github.com/edgeshard/edgeshard/internal/wholefile"
)

// Files of a sweep's folder that tell others how far it is.
const (
	diaryFile = "progress.json"
	soFarFile = "so-far.csv" // until there are results
)

// A diaryEntry is how far a sweep is.
type diaryEntry struct {
	Experiment string    `json:"experiment"`
	Points     int       `json:"points"`
	Done       int       `json:"done"`
	Cached     int       `json:"cached"`
	Failed     int       `json:"failed"`
	LeftS      float64   `json:"left_s"`
	UpdatedAt  time.Time `json:"updated_at"` // every second while the sweep runs
	Ended      bool      `json:"ended"`
	Error      string    `json:"error,omitempty"`
}

// A diary keeps a sweep's progress and results so far in its folder. What cannot
// be written is logged and does not stop the sweep.
type diary struct {
	dir     string
	sweep   *experiments.Sweep
	stop    chan struct{}
	stopped sync.WaitGroup

	mu      sync.Mutex
	entry   diaryEntry
	results []experiments.Result
}

// diaryEvery is how often a sweep tells that it runs.
const diaryEvery = time.Second

// openDiary begins to keep a sweep's diary; it listens to what the sweep tells.
func openDiary(dir string, s *experiments.Sweep) *diary {
	d := &diary{dir: dir, sweep: s, stop: make(chan struct{}), entry: diaryEntry{Experiment: s.Spec.Name}}
	tell := s.Tell
	s.Tell = func(p experiments.Progress) {
		d.note(p)
		if tell != nil {
			tell(p)
		}
	}
	d.stopped.Go(d.keep)
	return d
}

func (d *diary) note(p experiments.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.results = append(d.results, p.Last)
	d.entry.Points, d.entry.Done, d.entry.Cached, d.entry.Failed, d.entry.LeftS = p.Total, p.Done, p.Cached, p.Failed, p.Left.Seconds()
}

// keep writes the progress every second, and the results so far as long as that
// takes little of the time.
func (d *diary) keep() {
	const share = 50 // of the time, at most one part in so many
	tick := time.NewTicker(diaryEvery)
	defer tick.Stop()
	written, next := 0, time.Now()
	for {
		d.write()
		if now := time.Now(); now.After(next) {
			written = d.writeSoFar(written)
			next = now.Add(share * time.Since(now))
		}
		select {
		case <-tick.C:
		case <-d.stop:
			return
		}
	}
}

func (d *diary) write() {
	d.mu.Lock()
	d.entry.UpdatedAt = time.Now()
	data, err := wholefile.JSON(d.entry)
	d.mu.Unlock()
	if err == nil {
		err = wholefile.Write(filepath.Join(d.dir, diaryFile), data)
	}
	if err != nil {
		d.sweep.Log.Warn("a sweep's progress cannot be told", "error", err)
	}
}

// writeSoFar writes the results so far, if there are more than last time, and
// returns how many there are.
func (d *diary) writeSoFar(last int) int {
	d.mu.Lock()
	results := slices.Clone(d.results)
	d.mu.Unlock()
	if len(results) == last {
		return last
	}
	slices.SortFunc(results, func(a, b experiments.Result) int { return a.Index - b.Index })
	t := experiments.NewTable(d.sweep.Spec, d.sweep.Version, results)
	if err := wholefile.Stream(filepath.Join(d.dir, soFarFile), t.WriteCSV); err != nil {
		d.sweep.Log.Warn("a sweep's results so far cannot be written", "error", err)
	}
	return len(results)
}

// close ends the diary with what ended the sweep. The results so far go where
// there are all.
func (d *diary) close(err error) {
	close(d.stop)
	d.stopped.Wait()
	d.mu.Lock()
	d.entry.Ended, d.entry.LeftS = true, 0
	if err != nil {
		d.entry.Error = err.Error()
	}
	d.mu.Unlock()
	if err != nil {
		d.writeSoFar(0)
	} else if gone := os.Remove(filepath.Join(d.dir, soFarFile)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		d.sweep.Log.Warn("the results so far stay beside the results", "error", gone)
	}
	d.write()
}

// readDiary reads how far the sweep of a folder is.
func readDiary(dir string) (e diaryEntry, err error) {
	data, err := os.ReadFile(filepath.Join(dir, diaryFile))
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(data, &e)
}
