package tui_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// A terminal is the real program in a tmux of its own.
type terminal struct {
	testing.TB
	socket, home, program string
	w, h                  int
}

// A terminal tells nobody when its screen changes: it is looked at every poll, for
// no longer than patience.
const patience, poll = 2 * time.Minute, 30 * time.Millisecond

// build builds the program once for a test.
func build(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: the real program is not built")
	}
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: the screen is not tried in a real terminal")
	}
	program := filepath.Join(t.TempDir(), "edgeshard")
	cmd := exec.Command("go", "build", "-o", program, "github.com/edgeshard/edgeshard/cmd/edgeshard")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// open starts the program in a terminal of w × h.
func open(t testing.TB, program string, w, h int, env []string, args ...string) *terminal {
	t.Helper()
	x := &terminal{TB: t, socket: filepath.Join(t.TempDir(), "tmux"), home: t.TempDir(), program: program, w: w, h: h}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", x.socket, "kill-server").Run() })
	x.start(env, args...)
	return x
}

// start starts the program in a window of its own, with the same home.
func (x *terminal) start(env []string, args ...string) {
	x.Helper()
	quoted := append([]string{"env", "-u", "NO_COLOR", "-u", "TMUX", "HOME=" + x.home, "XDG_CONFIG_HOME=" + x.home + "/config", "XDG_CACHE_HOME=" + x.home + "/cache",
		"COLORTERM=truecolor", "TERM=xterm-256color"}, env...)
	quoted = append(append(quoted, x.program), args...)
	command := "cd " + x.home + " && " + strings.Join(quoted, " ") + "; echo ended with $?; sleep 60"
	if _, err := os.Stat(x.socket); err == nil {
		x.tmux("new-window", command)
		return
	}
	x.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(x.w), "-y", fmt.Sprint(x.h), command)
}

func (x *terminal) tmux(args ...string) string {
	x.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", x.socket}, args...)...).CombinedOutput()
	if err != nil {
		x.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// keys presses keys, as tmux names them.
func (x *terminal) keys(names ...string) {
	x.Helper()
	for _, n := range names {
		x.tmux("send-keys", "-t", ":", n)
	}
}

func (x *terminal) screen() string { return x.tmux("capture-pane", "-p", "-t", ":") }

// took is the solver's time at the bottom of the plan, which differs between runs.
var took = regexp.MustCompile(`─+ exact, [0-9.]+ m?s ─`)

// stable holds what is on screen against a golden file, without what differs
// between runs. It waits for the screen to become that.
func (x *terminal) stable(name string) {
	x.Helper()
	file := filepath.Join("testdata", "terminal-"+name+".txt")
	want, err := os.ReadFile(file)
	got := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(poll) {
		got = took.ReplaceAllStringFunc(x.screen(), func(s string) string { return strings.Repeat("─", utf8.RuneCountInString(s)) })
		if got == string(want) {
			return
		}
	}
	if flag.Lookup("update").Value.String() == "true" {
		err = os.WriteFile(file, []byte(got), 0o644)
	} else if diff := cmp.Diff(string(want), got); diff != "" {
		x.Errorf("%s (−want +got):\n%s", file, diff)
	}
	if err != nil {
		x.Fatal(err)
	}
}

// process is the id of the program in the terminal.
func (x *terminal) process() string {
	x.Helper()
	shell := strings.TrimSpace(x.tmux("display-message", "-p", "#{pane_pid}"))
	out, err := exec.Command("pgrep", "-P", shell).Output()
	if err != nil {
		x.Fatalf("pgrep -P %s: %v", shell, err)
	}
	return strings.TrimSpace(string(out))
}

// cpu is the processor time that a process has taken, of all its threads.
func cpu(t testing.TB, process string) time.Duration {
	t.Helper()
	data, err := os.ReadFile("/proc/" + process + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+2:]))
	ticks := 0
	for _, f := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// BenchmarkIdle tells which part of a processor a screen takes on which nothing
// happens. TestIdle says what it does meanwhile.
func BenchmarkIdle(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("processor time is read from /proc")
	}
	x := open(b, build(b), 200, 60, nil, "tui", "-t", "edgeshard-testbed", "-m", "llama2-7b")
	x.until("a short tour")
	x.keys("Escape")
	x.until("proved optimal")
	x.until("even ") // the last baseline
	process := x.process()
	var used time.Duration
	for b.Loop() {
		before := cpu(b, process)
		time.Sleep(3 * time.Second)
		used += cpu(b, process) - before
	}
	b.ReportMetric(100*float64(used)/float64(b.Elapsed()), "%-of-a-processor")
}

// noColour: with NO_COLOR nothing on screen has a colour.
func noColour(t *testing.T, program string) {
	x := open(t, program, 100, 30, []string{"NO_COLOR=1"}, "tui", "-t", "home-lab", "-m", "llama2-7b")
	x.until("a short tour")
	x.keys("Escape")
	x.until("proved optimal")
	x.keys("j", "-")
	if colour := regexp.MustCompile(`\x1b\[(3[0-79]|4[0-79]|38|48|9[0-7])[;m]`).FindString(x.tmux("capture-pane", "-e", "-p", "-t", ":")); colour != "" && colour != "\x1b[39m" && colour != "\x1b[49m" {
		t.Errorf("%q is on the screen", colour)
	}
}

// until waits for a text on the screen, or for its end with a ! before it.
func (x *terminal) until(text string) {
	x.Helper()
	text, gone := strings.CutPrefix(text, "!")
	deadline := time.Now().Add(patience)
	for ; strings.Contains(x.screen(), text) == gone; time.Sleep(poll) {
		if time.Now().After(deadline) {
			x.Fatalf("no %q (gone: %v) on the screen:\n%s", text, gone, x.screen())
		}
	}
}

// TestTerminal tries the real program in a real terminal.
func TestTerminal(t *testing.T) {
	program := build(t)
	t.Run("whole way", func(t *testing.T) { wholeWay(t, program) })
	t.Run("no colour", func(t *testing.T) { noColour(t, program) })
}

// wholeWay goes from the start over a what-if, a simulation, real workers and save
// to quit, and on again where it was left; then a crash, and on again.
func wholeWay(t *testing.T, program string) {
	x := open(t, program, 120, 36, nil, "tui", "-t", "local-3", "-m", "demo", "--prompt", "'Once upon a time'", "--tokens", "40")
	x.until("a short tour")
	x.keys("Escape")
	x.until("!a short tour")
	x.stable("start")
	x.whatIf()
	x.watchRuns()
	x.save()
	x.goOn()
}

// whatIf takes a device out, and back.
func (x *terminal) whatIf() {
	x.Helper()
	x.keys("j", "Space")
	x.until("○ laptop")
	x.stable("what-if")
	x.keys("u")
	x.until("● laptop")
}

// watchRuns watches a simulation and a run of real workers to their ends.
func (x *terminal) watchRuns() {
	x.Helper()
	x.keys("r")
	x.until("simulated")
	x.keys("End")
	x.until("40 of 40")
	x.stable("simulated")
	x.keys("R")
	x.until("real workers")
	x.until("ended")
	x.until("Once upon a time")
	x.until("40 of 40")
}

// save saves the topology, changes it and quits.
func (x *terminal) save() {
	x.Helper()
	x.keys("1")
	x.keys("s")
	x.until("enter choose")
	x.stable("save")
	x.keys("Enter", "Enter")
	x.until("wrote local-3.toml")
	x.keys("-")
	x.until("local-3*")
	x.keys("q")
	x.until("ended with 0")
	if out, err := exec.Command(x.program, "topology", "check", filepath.Join(x.home, "local-3.toml")).CombinedOutput(); err != nil {
		x.Errorf("the saved topology has faults: %s", out)
	}
}

// goOn goes on where it was left, crashes there, and goes on again.
func (x *terminal) goOn() {
	x.Helper()
	x.start(nil, "tui")
	x.until("local-3*")
	x.keys("j", "Space")
	x.until("○ laptop")
	x.until("proved optimal")
	x.tmux("kill-window")
	x.start(nil, "tui")
	x.until("○ laptop")
	x.keys("q")
	x.until("ended with 0")
}
