package tui_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/tui/picture"
)

var screenshots = flag.String("screenshots", "", "write pictures of the real program into this folder")

// A shot is a picture to take.
type shot struct {
	name string
	w, h int
	args []string
	keys []string // to press; a text with ~ before it is waited for, one with ! until it is gone
}

// shotSweep is the experiment that a picture is taken of.
const shotSweep = `name = "links"
[base]
topology = "home-lab"
model = "llama2-13b"
precision = "q8_0"
[[axis]]
key = "link.source<>cloud.bandwidth"
name = "mbps"
unit = "Mbps"
values = [10, 20, 50, 100, 200, 300, 500, 1000]
[[axis]]
key = "solver"
values = ["exact", "edgeshard", "cloud-opt"]
`

var shots = []shot{
	{"plan", 120, 36, []string{"-t", "edgeshard-testbed", "-m", "llama2-13b"}, []string{"~proved", "Tab", "Right", "-"}},
	{"plan-small", 80, 24, []string{"-t", "home-lab", "-m", "llama2-13b", "--precision", "q8_0"}, []string{"~proved", "j", ">", ">"}},
	{"plan-large", 200, 60, []string{"-t", "edgeshard-testbed", "-m", "llama2-70b", "--precision", "q4_0", "--batch", "8", "--micro-batch", "2", "--requests", "8", "--objective", "throughput"}, []string{"~proved"}},
	{"curve", 120, 36, []string{"-t", "home-lab", "-m", "llama2-13b", "--precision", "q8_0"}, []string{"~proved", "j", "3", "~the plan changes", "Left", "Left"}},
	{"scenarios", 120, 36, []string{"-t", "home-lab", "-m", "llama2-13b", "--precision", "q8_0"}, []string{"~proved", "m", "Enter", "j", "Space", "~proved", "m", "Enter", "Space", "Tab", "+", "~proved", "m", "Enter", "~proved", "2", "Right"}},
	{"run", 120, 36, []string{"-t", "edgeshard-testbed", "-m", "llama2-13b", "--batch", "4", "--requests", "8", "--objective", "throughput"}, []string{"~optim", "r", "~of 768", "End", "Left", "Left", "Left", "Left"}},
	{"real", 120, 36, []string{"-t", "local-3", "-m", "demo", "--prompt", "'Once upon a time'", "--tokens", "60", "--measure"}, []string{"~proved", "R", "~ended", "End", "Left", "Left", "Left", "Left", "Left", "Left"}},
	{"bands", 120, 36, []string{"-t", "local-3", "-m", "demo", "--measure"}, []string{"~90 % band"}},
	{"why", 120, 36, []string{"-t", "home-lab", "-m", "llama2-13b", "--precision", "q8_0"}, []string{"~proved", "j", "w", "!asking"}},
	{"sweeps", 120, 36, []string{"-t", "home-lab", "-m", "llama2-13b", "--precision", "q8_0"}, []string{"~proved", "6", "n", "Enter", "~ended "}},
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
				if err := os.WriteFile(filepath.Join(x.home, "experiment.toml"), []byte(shotSweep), 0o644); err != nil {
					t.Fatal(err)
				}
				x.until("a short tour")
				x.keys("Escape")
				x.until("!a short tour")
				if theme == "light" {
					x.keys("t")
				}
				for _, k := range s.keys {
					if text, wait := strings.CutPrefix(k, "~"); wait {
						x.until(text)
					} else if strings.HasPrefix(k, "!") {
						x.until(k)
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
