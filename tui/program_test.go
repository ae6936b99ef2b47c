package tui

import (
	"bytes"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/teatest/v2"
)

// TestProgram runs the screen under the real runtime.
func TestProgram(t *testing.T) {
	tm := teatest.NewTestModel(t, New(fakeBackend(), Options{Start: ask(t, "home-lab", "llama2-7b")}), teatest.WithInitialTermSize(100, 30))
	seen := func(text string) {
		t.Helper()
		teatest.WaitFor(t, tm.Output(), func(out []byte) bool { return bytes.Contains(out, []byte(text)) },
			teatest.WithDuration(time.Minute), teatest.WithCheckInterval(10*time.Millisecond))
	}
	seen("proved optimal")
	tm.Send(tea.KeyPressMsg{Code: '3', Text: "3"})
	seen("TPOT over memory")
	tm.Send(tea.KeyPressMsg{Code: 'r', Text: "r"})
	seen("simulated")
	tm.Send(tea.KeyPressMsg{Code: 'q', Text: "q"})
	last := tm.FinalModel(t, teatest.WithFinalTimeout(time.Minute)).(Model)
	if last.screen != runScreen || last.run.plan == nil {
		t.Errorf("screen %d: want the run", last.screen)
	}
}
