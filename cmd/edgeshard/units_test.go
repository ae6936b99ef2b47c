package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnits: systemd takes the units, and this program the commands in them.
func TestUnits(t *testing.T) {
	files, err := filepath.Glob("../../packaging/*.service")
	if err != nil || len(files) == 0 {
		t.Fatalf("no units: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var copies []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		checkCommand(t, f, string(data))
		there := filepath.Join(dir, filepath.Base(f))
		if err := os.WriteFile(there, []byte(strings.ReplaceAll(string(data), "/usr/local/bin/edgeshard", self)), 0o600); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, there)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze to verify units with")
	}
	if out, err := exec.Command(analyze, append([]string{"verify"}, copies...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// checkCommand parses a unit's command line as the program would.
func checkCommand(t *testing.T, file, unit string) {
	t.Helper()
	for line := range strings.Lines(unit) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/usr/local/bin/edgeshard ")
		if !ok {
			continue
		}
		args := strings.Fields(strings.TrimSuffix(command, "$EDGESHARD_OPTIONS"))
		cmd, rest, err := (&app{}).root().Find(args)
		if err == nil {
			err = cmd.ParseFlags(rest)
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		return
	}
	t.Errorf("%s starts no edgeshard", file)
}
