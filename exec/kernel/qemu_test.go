//go:build !arm64

package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestNEON runs this package's tests as an arm64 program, where an emulator is
// installed.
func TestNEON(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64")
	if err != nil || testing.Short() {
		t.Skip("no qemu-aarch64, or -short")
	}
	binary := filepath.Join(t.TempDir(), "kernel.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), qemu, "-cpu", "max", binary, "-test.short", "-rapid.checks=20")
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
