package exec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// byGroup is how a process is kept to its budget by a group of the kernel's.
const byGroup = "cgroup v2"

// A cage is a group of processes (cgroup v2) with a limit of memory: beyond it the
// kernel ends them.
type cage struct{ dir string }

// groupRoot returns the folder of this process' own group, "" where there is none
// in which others with a limit of memory can be made.
func groupRoot() string {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	return groupRootOf(string(groups), string(mounts))
}

func groupRootOf(groups, mounts string) string {
	own := ""
	for line := range strings.Lines(groups) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			own = path
		}
	}
	for line := range strings.Lines(mounts) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if own == "" || len(fields) < 5 || !strings.HasPrefix(after, "cgroup2 ") {
			continue
		}
		dir := filepath.Join(fields[4], own)
		if controllers, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers")); err == nil && strings.Contains(string(controllers), "memory") {
			return dir
		}
	}
	return ""
}

// newCage makes a group with a limit in root.
func newCage(root, name string, bytes int64) (*cage, error) {
	// Where processes of this group's own are in the way the kernel refuses.
	if err := os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+memory"), 0o600); err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	c := &cage{filepath.Join(root, fmt.Sprintf("edgeshard-%d-%s", os.Getpid(), name))}
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	limit := []byte(strconv.FormatInt(bytes, 10))
	err := os.WriteFile(filepath.Join(c.dir, "memory.max"), limit, 0o600)
	if err == nil {
		_ = os.WriteFile(filepath.Join(c.dir, "memory.swap.max"), []byte("0"), 0o600) // not there without swap
		return c, nil
	}
	return nil, errors.Join(fmt.Errorf("cgroup: %w", err), c.remove())
}

// join puts a process into the group.
func (c *cage) join(pid int) error {
	return os.WriteFile(filepath.Join(c.dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o600)
}

// remove removes the group, whose processes have ended.
func (c *cage) remove() error { return os.Remove(c.dir) }
