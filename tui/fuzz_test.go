package tui

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

var fuzzFor = flag.Duration("fuzz-keys", 0, "how long random keys are pressed; 0: for some rounds")

// TestRandomKeys presses random keys, clicks and resizes: nothing panics, the
// screen always has its size, and esc and 1 lead back to the plan.
func TestRandomKeys(t *testing.T) {
	t.Chdir(t.TempDir()) // what is saved or exported goes there
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	keys := allKeys()
	topologies := []string{"edgeshard-testbed", "home-lab", "local-3"}
	const rounds = 20
	until := time.Now().Add(*fuzzFor)
	for round := 0; round < rounds || time.Now().Before(until); round++ {
		d := drive(t, ask(t, topologies[rng.IntN(3)], "llama2-7b"), 40+rng.IntN(180), 10+rng.IntN(60))
		for range 300 {
			d.send(randomMessage(rng, keys))
			d.check()
		}
		d.leave()
	}
}

// allKeys are the keys that mean something, and some that are typed.
func allKeys() []string {
	keys := strings.Split("abc xyz 12.5GiB 300ms 7Mbps", "")
	for _, a := range actions() {
		for _, k := range a.keys {
			if k != "q" && k != "shift+right" && k != "shift+left" {
				keys = append(keys, k)
			}
		}
	}
	return append(keys, "esc", "enter", "down", "down", "right")
}

func randomMessage(rng *rand.Rand, keys []string) tea.Msg {
	switch n := rng.IntN(60); {
	case n == 0:
		return tea.WindowSizeMsg{Width: rng.IntN(220), Height: rng.IntN(80)}
	case n == 1:
		return frameMsg{rng.IntN(3)}
	case n < 6:
		return tea.MouseClickMsg{X: rng.IntN(200), Y: rng.IntN(60), Button: tea.MouseLeft}
	case n < 9:
		return tea.MouseWheelMsg{X: rng.IntN(200), Y: rng.IntN(60), Button: tea.MouseWheelDown}
	}
	return press(keys[rng.IntN(len(keys))])
}

// check holds what is always so.
func (d *driver) check() {
	d.Helper()
	a := d.m.render()
	if a.w != max(d.m.width, 1) || a.h != max(d.m.height, 1) {
		d.Fatalf("the screen is %d×%d: want %d×%d", a.w, a.h, d.m.width, d.m.height)
	}
	if n := len(d.m.question.Topology.Devices); d.m.device >= n || d.m.from >= n || d.m.to >= n {
		d.Fatalf("selected device %d, link %d→%d of %d devices", d.m.device, d.m.from, d.m.to, n)
	}
	if err := d.m.question.Validate(); err != nil {
		d.Fatal(err)
	}
}

// leave goes back to the plan from wherever it is.
func (d *driver) leave() {
	d.Helper()
	for range 3 {
		d.keys("esc")
	}
	d.keys("1")
	if d.m.overlay != nil || d.m.screen != planScreen {
		d.Fatalf("esc does not lead back to the plan: overlay %T, screen %d", d.m.overlay, d.m.screen)
	}
}
