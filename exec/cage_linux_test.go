package exec

import (
	"os"
	"path/filepath"
	"testing"
)

// A group is found where the memory controller is, and has the limit and the
// process it is told.
func TestCage(t *testing.T) {
	root := t.TempDir()
	own := filepath.Join(root, "own")
	if err := os.Mkdir(own, 0o755); err != nil {
		t.Fatal(err)
	}
	mounts := "30 1 0:25 / " + root + " rw,nosuid - cgroup2 cgroup2 rw\n31 1 0:26 / /elsewhere rw - tmpfs tmpfs rw\n"
	if got := groupRootOf("9:name=systemd:/x\n0::/own\n", mounts); got != "" {
		t.Errorf("%s has no memory controller", got)
	}
	if err := os.WriteFile(filepath.Join(own, "cgroup.controllers"), []byte("cpu memory pids\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := groupRootOf("9:name=systemd:/x\n0::/own\n", mounts); got != own {
		t.Errorf("found %q, want %q", got, own)
	}
	if got := groupRootOf("9:memory:/own\n", mounts); got != "" {
		t.Errorf("found %q though the process is in no group of version 2", got)
	}
	for _, file := range []string{"cgroup.subtree_control", "cgroup.procs"} {
		if err := os.WriteFile(filepath.Join(own, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := newCage(own, "d0", 123456)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.join(42); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"memory.max": "123456", "cgroup.procs": "42"} {
		if data, err := os.ReadFile(filepath.Join(c.dir, file)); err != nil || string(data) != want {
			t.Errorf("%s is %q, %v: want %s", file, data, err, want)
		}
	}
	if _, err := newCage(own, "d0", 1); err == nil {
		t.Error("two groups of one name")
	}
}
