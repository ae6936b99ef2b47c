package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSweepOnFullDisk runs a sweep whose folder is on a disk too small for its
// outcomes and results: it says so and leaves nothing by halves. With more room a
// second start has the results of a sweep elsewhere to the byte.
func TestSweepOnFullDisk(t *testing.T) {
	l := newLab(t, map[string]string{"e.toml": sharedSpec})
	disk := filepath.Join(l.dir, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=128k"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	l.must("edgeshard", "sweep", "e.toml", "-o", "local")
	out, err := l.run("edgeshard", "sweep", "e.toml", "-o", "disk/out")
	if err == nil || !strings.Contains(out, "no space left on device") || strings.Count(out, "outcomes cannot be kept") != 1 {
		t.Errorf("on a full disk: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(disk, "out", "results.csv")); err == nil {
		t.Error("a table is there that the disk had no room for")
	}
	if parts, _ := filepath.Glob(filepath.Join(disk, "out", ".part-*")); parts != nil {
		t.Errorf("%v are left behind", parts)
	}
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	l.must("edgeshard", "sweep", "e.toml", "-o", "disk/out")
	if l.read("disk/out/results.csv") != l.read("local/results.csv") {
		t.Error("results differ")
	}
}
