//go:build !arm64

package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// needQEMU set to "required" makes an emulator that is not there an error.
const needQEMU = "EDGESHARD_TEST_QEMU"

// TestNEON runs this package's tests as an arm64 program, where an emulator is
// installed.
func TestNEON(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64")
	if err != nil && os.Getenv(needQEMU) == "required" {
		t.Fatalf("%s is required: no qemu-aarch64", needQEMU)
	}
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
