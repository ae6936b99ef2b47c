package tui

import (
	"strings"
	"testing"
)

// TestScenarios: a kept question becomes the present one, with its answer.
func TestScenarios(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	first := d.m.question
	d.keys("m", "enter", "-", "-", "2")
	d.want("llama2-7b f32 latency")
	if md := d.m.markdown(); !strings.Contains(md, "| TPOT |") || strings.Count(md, "\n") < 10 {
		t.Errorf("no table:\n%s", md)
	}
	d.keys("right", "enter")
	if !sameQuestion(&d.m.question, &first) || d.m.screen != planScreen {
		t.Error("the scenario is not the present question")
	}
	d.keys("2", "right", "delete")
	if len(d.m.scenarios.entries) != 0 {
		t.Error("the scenario is not removed")
	}
}
