package models

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestTouchesOnlyTheUnit asks the kernel which pages of the mapped file are in
// memory: after opening, the header; after reading a unit, that unit.
func TestTouchesOnlyTheUnit(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc/self/smaps")
	}
	cfg := tiny
	cfg.Dim, cfg.Hidden, cfg.Layers = 512, 1536, 4
	path := writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), synthetic(t, cfg, F32))
	c := mustOpen(t, path)
	x, err := c.Unit(2)
	if err != nil {
		t.Fatal(err)
	}
	const slack = 3 * 2 << 20 // the kernel may map huge pages around those that are touched
	if n := resident(t, path); n > slack {
		t.Errorf("%d bytes are resident before any is read", n)
	}
	var sum byte
	for _, tensor := range x.Tensors() {
		for i := 0; i < len(tensor.Data); i += 512 {
			sum += tensor.Data[i]
		}
	}
	if n := resident(t, path); n < x.Bytes() || n > x.Bytes()+slack {
		t.Errorf("%d bytes are resident after a unit of %d was read (sum %d)", n, x.Bytes(), sum)
	}
}

// resident returns the bytes of a mapped file that are in this process's memory.
func resident(t *testing.T, path string) int64 {
	t.Helper()
	inside, total := false, int64(0)
	for line := range strings.Lines(string(readFile(t, "/proc/self/smaps"))) {
		fields := strings.Fields(line)
		switch {
		case !strings.HasSuffix(fields[0], ":"): // a mapping: address range, flags, …, path
			inside = fields[len(fields)-1] == path
		case inside && fields[0] == "Rss:":
			kb, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			total += kb << 10
		}
	}
	return total
}

// TestForget: weights that were forgotten are there again when they are read.
func TestForget(t *testing.T) {
	cfg := tiny
	cfg.Dim, cfg.Hidden = 256, 512 // tensors of many pages
	c := mustOpen(t, writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), synthetic(t, cfg, F32)))
	x, err := c.Unit(1)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(x.Gate.Data)
	for u := -1; u <= cfg.Units(); u++ {
		Forget(c, u)
	}
	if !bytes.Equal(x.Gate.Data, before) {
		t.Error("other weights after Forget")
	}
}

// TestRead: reading the file gives what its map holds, and says when it is shorter.
func TestRead(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), synthetic(t, tiny, Q8_0))
	for name, c := range map[string]Checkpoint{"file": mustOpen(t, path), "demo": mustOpen(t, Demo)} {
		for u := range c.Config().Units() {
			x, err := c.Unit(u)
			if err != nil {
				t.Fatal(err)
			}
			for _, tensor := range x.Tensors() {
				part := tensor.Data[len(tensor.Data)/3:]
				got := make([]byte, len(part))
				if err := Read(c, got, part); err != nil || !bytes.Equal(got, part) {
					t.Errorf("%s, unit %d: %v, or other bytes", name, u, err)
				}
			}
		}
	}
	if runtime.GOOS == "windows" {
		return // which lets nobody cut a mapped file short
	}
	c := mustOpen(t, path)
	x, err := c.Unit(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if err := Read(c, make([]byte, len(x.Down.Data)), x.Down.Data); err == nil || !strings.Contains(err.Error(), "was cut short") {
		t.Errorf("a file cut short: %v", err)
	}
}
