package tui

import (
	"context"
	"errors"
	"testing"

	"github.com/edgeshard/edgeshard"
)

// TestBands come once all else is answered, take the place of the simulated
// figures, and are dropped where they answer an older question or are none.
func TestBands(t *testing.T) {
	band := map[string]edgeshard.Band{"tpot_ms.mean": {Low: 123, High: 456}}
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	asked := 0
	d.m.backend.Bands = func(context.Context, *edgeshard.Plan) (map[string]edgeshard.Band, error) {
		asked++
		return band, nil
	}
	d.keys("-")
	d.want("90 % band")
	d.want("123–456")
	if asked != 1 || len(d.m.baselines) == 0 {
		t.Errorf("asked %d times, with %d baselines", asked, len(d.m.baselines))
	}
	d.send(bandsMsg{d.m.rev - 1, map[string]edgeshard.Band{"tpot_ms.mean": {Low: 7777, High: 8888}}, nil})
	d.want("123–456")
	d.m.backend.Bands = func(context.Context, *edgeshard.Plan) (map[string]edgeshard.Band, error) {
		return nil, errors.New("no runs")
	}
	d.keys("-")
	if d.onScreen("90 % band") {
		t.Error("there is a band where none could be drawn")
	}
}
