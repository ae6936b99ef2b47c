package tui_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/tui/picture"
)

var screenshots = flag.String("screenshots", "", "write pictures of the real program into this folder")

// A terminal is the real program in a tmux of its own.
type terminal struct {
	*testing.T
	socket, home, program string
	w, h                  int
}

// build builds the program once for a test.
func build(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: the real program is not built")
	}
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux here")
	}
	program := filepath.Join(t.TempDir(), "edgeshard")
	cmd := exec.Command("go", "build", "-o", program, "github.com/edgeshard/edgeshard/cmd/edgeshard")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// open starts the program in a terminal of w × h.
func open(t *testing.T, program string, w, h int, env []string, args ...string) *terminal {
	t.Helper()
	x := &terminal{T: t, socket: filepath.Join(t.TempDir(), "tmux"), home: t.TempDir(), program: program, w: w, h: h}
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

// until waits for a text on the screen, or for its end with a ! before it.
func (x *terminal) until(text string) {
	x.Helper()
	text, gone := strings.CutPrefix(text, "!")
	deadline := time.Now().Add(30 * time.Second)
	for strings.Contains(x.screen(), text) == gone {
		if time.Now().After(deadline) {
			x.Fatalf("no %q (gone: %v) on the screen:\n%s", text, gone, x.screen())
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// TestTerminal goes the whole way in a real terminal: start, what-if, a
// simulation, real workers, save, quit, and on again where it was left; then a
// crash, and on again.
func TestTerminal(t *testing.T) {
	x := open(t, build(t), 120, 36, nil, "tui", "-t", "local-3", "-m", "demo", "--prompt", "'Once upon a time'", "--tokens", "40")
	x.until("a short tour")
	x.keys("Escape")
	x.until("!a short tour")
	x.until("proved optimal")
	x.keys("j", "Space")
	x.until("○ laptop")
	x.keys("u")
	x.until("● laptop")
	x.keys("r")
	x.until("simulated")
	x.keys("End")
	x.until("40 of 40")
	x.keys("R")
	x.until("real workers")
	x.until("ended")
	x.until("Once upon a time")
	x.until("40 of 40")
	x.keys("1")
	x.keys("s")
	x.until("save")
	x.keys("Enter", "Enter")
	x.until("wrote local-3.toml")
	x.keys("-")
	x.until("local-3*")
	x.keys("q")
	x.until("ended with 0")
	if out, err := exec.Command(x.program, "topology", "check", filepath.Join(x.home, "local-3.toml")).CombinedOutput(); err != nil {
		t.Errorf("the saved topology has faults: %s", out)
	}
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

// A shot is a picture to take.
type shot struct {
	name string
	w, h int
	args []string
	keys []string // to press; a text with ~ before it is waited for
}

var shots = []shot{
	{"plan", 120, 36, []string{"-t", "edgeshard-testbed", "-m", "llama2-13b"}, []string{"~proved", "Tab", "Right", "-"}},
	{"plan-small", 80, 24, []string{"-t", "home-lab", "-m", "llama2-13b", "--precision", "q8_0"}, []string{"~proved", "j", ">", ">"}},
	{"plan-large", 200, 60, []string{"-t", "edgeshard-testbed", "-m", "llama2-70b", "--precision", "q4_0", "--batch", "8", "--micro-batch", "2", "--requests", "8", "--objective", "throughput"}, []string{"~proved"}},
	{"curve", 120, 36, []string{"-t", "home-lab", "-m", "llama2-13b", "--precision", "q8_0"}, []string{"~proved", "j", "3", "~plans change", "Left", "Left"}},
	{"scenarios", 120, 36, []string{"-t", "home-lab", "-m", "llama2-13b", "--precision", "q8_0"}, []string{"~proved", "m", "Enter", "j", "Space", "~proved", "m", "Enter", "Space", "Tab", "+", "~proved", "m", "Enter", "~proved", "2", "Right"}},
	{"run", 120, 36, []string{"-t", "edgeshard-testbed", "-m", "llama2-13b", "--batch", "4", "--requests", "8", "--objective", "throughput"}, []string{"~optim", "r", "~of 768", "End", "Left", "Left", "Left", "Left"}},
	{"real", 120, 36, []string{"-t", "local-3", "-m", "demo", "--prompt", "'Once upon a time'", "--tokens", "60", "--measure"}, []string{"~proved", "R", "~ended", "Home", "]", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right"}},
	{"add", 120, 36, []string{"-t", "home-lab", "-m", "llama2-13b", "--precision", "q8_0"}, []string{"~proved", "a", "Down", "Down"}},
}

// TestScreenshots takes the pictures of the documentation from the real program.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("-screenshots names no folder")
	}
	program := build(t)
	for _, s := range shots {
		for theme, look := range map[string]picture.Look{"dark": picture.Dark, "light": picture.Light} {
			t.Run(s.name+"-"+theme, func(t *testing.T) {
				x := open(t, program, s.w, s.h, nil, append([]string{"tui"}, s.args...)...)
				x.until("a short tour")
				x.keys("Escape")
				x.until("!a short tour")
				if theme == "light" {
					x.keys("t")
				}
				for _, k := range s.keys {
					if text, wait := strings.CutPrefix(k, "~"); wait {
						x.until(text)
					} else {
						x.keys(k)
					}
				}
				time.Sleep(700 * time.Millisecond) // for baselines and simulation
				x.shoot(filepath.Join(*screenshots, s.name+"-"+theme+".png"), look)
			})
		}
	}
}

// shoot writes what is on screen as a picture.
func (x *terminal) shoot(file string, look picture.Look) {
	x.Helper()
	text := x.tmux("capture-pane", "-e", "-p", "-t", ":")
	var b bytes.Buffer
	if err := picture.PNG(&b, picture.Parse(text, x.w, x.h), look); err != nil {
		x.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		x.Fatal(err)
	}
}
