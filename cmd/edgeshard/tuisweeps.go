package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard/experiments"
	"github.com/edgeshard/edgeshard/tui"
)

// Where the screen looks for sweeps: below the present folder, so deep and in
// that many folders at most.
const (
	sweepDepth   = 4
	sweepFolders = 2000
)

// silentAfter is how long a running sweep says nothing before it counts as dead.
const silentAfter = 10 * diaryEvery

// sweepsForTUI returns the sweeps whose folders are at or below dir.
func sweepsForTUI(ctx context.Context, dir string) ([]tui.Sweep, error) {
	var all []tui.Sweep
	folders := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !e.IsDir() {
			return nil //nolint:nilerr // a folder that cannot be read shows no sweep
		}
		rel, err := filepath.Rel(dir, path)
		hidden := rel != "." && strings.HasPrefix(e.Name(), ".")
		if folders++; err != nil || hidden || folders > sweepFolders || strings.Count(rel, string(filepath.Separator)) >= sweepDepth {
			return fs.SkipDir
		}
		if s, ok := sweepOf(path, rel); ok {
			all = append(all, s)
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b tui.Sweep) int { return b.Updated.Compare(a.Updated) })
	return all, err
}

// sweepOf returns the sweep of a folder: by its diary, or by results of one that
// kept none.
func sweepOf(dir, name string) (s tui.Sweep, ok bool) {
	s = tui.Sweep{Folder: dir, Name: name, State: tui.SweepEnded}
	if results, err := os.Stat(filepath.Join(dir, "results.csv")); err == nil {
		s.Results, s.Updated = filepath.Join(dir, "results.csv"), results.ModTime()
	}
	e, err := readDiary(dir)
	if err != nil {
		return s, s.Results != ""
	}
	s.Experiment, s.Points, s.Done, s.Cached, s.Failed = e.Experiment, e.Points, e.Done, e.Cached, e.Failed
	s.Left, s.Updated, s.Error = time.Duration(e.LeftS*float64(time.Second)), e.UpdatedAt, e.Error
	if _, err := os.Stat(filepath.Join(dir, soFarFile)); err == nil {
		s.Results = filepath.Join(dir, soFarFile)
	}
	switch {
	case !e.Ended && time.Since(e.UpdatedAt) > silentAfter, e.Error != "":
		s.State = tui.SweepStopped
	case !e.Ended:
		s.State = tui.SweepRuns
	}
	return s, true
}

// A sweeper starts sweeps as processes of their own, which go on when the screen
// is left.
type sweeper struct {
	mu      sync.Mutex
	running map[string]*exec.Cmd // by folder
}

// start starts the sweep of an experiment after its file has been checked, and
// returns its folder.
func (w *sweeper) start(file string) (folder string, err error) {
	spec, err := readSpec(file, false)
	if err != nil {
		return "", err
	}
	if _, err := (&experiments.Sweep{Spec: spec}).Prepare(); err != nil {
		return "", err
	}
	folder = resultsFolder(spec)
	if s, ok := sweepOf(folder, folder); ok && s.State == tui.SweepRuns {
		return "", fmt.Errorf("%s: a sweep runs there", folder)
	}
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(program, "sweep", file, "--output", folder)
	if err := cmd.Start(); err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running == nil {
		w.running = make(map[string]*exec.Cmd)
	}
	w.running[folder] = cmd
	go func() { _ = cmd.Wait() }() // its diary says how it ended
	return folder, nil
}

// stop ends a sweep that start started; what it has computed is kept.
func (w *sweeper) stop(folder string) error {
	w.mu.Lock()
	cmd := w.running[filepath.Clean(folder)]
	w.mu.Unlock()
	if cmd == nil {
		return fmt.Errorf("%s: not started from this screen: end it where it runs", folder)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
