package results_test

import (
	"bytes"
	"image/png"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/golden"
	"github.com/edgeshard/edgeshard/results"
	"github.com/edgeshard/edgeshard/topologies"
)

// run is a run by hand: three requests on two devices, of which one dies.
func run() (*edgeshard.Plan, []edgeshard.Span) {
	ms := func(n float64) time.Duration { return time.Duration(n * 1e6) }
	p := &edgeshard.Plan{Topology: &topologies.Topology{Name: "pair", Devices: []topologies.Device{{Name: "near"}, {Name: "far"}}}, Workload: edgeshard.DefaultWorkload()}
	p.Workload.SetReplay([]edgeshard.Request{{ID: 0, Prompt: 3, Tokens: 2}, {ID: 1, Class: 1, Arrival: ms(5), Prompt: 4, Tokens: 1}, {ID: 2, Arrival: ms(9), Prompt: 1, Tokens: 1}})
	p.Workload.Classes = []edgeshard.Class{{Name: "chat", Share: 1}, {Name: "code", Share: 1}}
	return p, []edgeshard.Span{
		{What: edgeshard.Load, Request: -1, Stage: -1, Device: 1, To: -1, Bytes: 700, End: ms(10)},
		{What: edgeshard.OOM, Request: 1, Stage: -1, Device: 1, To: -1, Bytes: 55, Start: ms(10), End: ms(10)},
		{What: edgeshard.Queue, Request: 0, Stage: -1, Device: -1, To: -1, End: ms(10)},
		{What: edgeshard.Compute, Request: 0, Batch: 1, Device: 0, To: -1, Start: ms(10), End: ms(25)},
		{What: edgeshard.Send, Request: 0, Batch: 1, Stage: 1, Device: 0, To: 1, Bytes: 64, Start: ms(25), Free: ms(30), End: ms(40)},
		{What: edgeshard.Compute, Request: 0, Batch: 1, Stage: 1, Device: 1, To: -1, Start: ms(40), End: ms(60)},
		{What: edgeshard.Back, Request: 0, Batch: 1, Stage: -1, Device: 1, Bytes: 4, Start: ms(60), Free: ms(62.5), End: ms(63)},
		{What: edgeshard.Token, Request: 0, Stage: -1, Device: -1, To: -1, End: ms(63)},
		{What: edgeshard.Compute, Request: 0, Batch: 1, Step: 1, Device: 0, To: -1, Start: ms(63), End: ms(71)},
		{What: edgeshard.Token, Request: 0, Step: 1, Stage: -1, Device: -1, To: -1, Start: ms(63), End: ms(83)},
		{What: edgeshard.Failed, Request: 2, Stage: -1, Device: 1, To: -1, End: ms(90)},
		{What: edgeshard.Down, Request: -1, Stage: -1, Device: 1, To: -1, Start: ms(83), End: ms(100)},
	}
}

func TestGantt(t *testing.T) {
	p, spans := run()
	var text, svg, image bytes.Buffer
	g := results.NewGantt(p, spans, 40)
	for _, err := range []error{g.WriteText(&text), g.WriteSVG(&svg), g.WritePNG(&image)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden.Match(t, "gantt.txt", text.Bytes())
	golden.Match(t, "gantt.svg", svg.Bytes())
	m, err := png.Decode(&image)
	if err != nil {
		t.Fatal(err)
	}
	if b := m.Bounds(); b.Dx() < 200 || b.Dy() < 80 {
		t.Errorf("an image of %v", b)
	}
}

// TestGanttConserves: the parts of a row's cells add up to what its spans took.
func TestGanttConserves(t *testing.T) {
	p, spans := run()
	for _, columns := range []int{1, 7, 100, 1000} {
		g := results.NewGantt(p, spans, columns)
		sum := 0.0
		for _, c := range g.Rows[0].Cells {
			sum += c.Busy()
		}
		if got := sum * g.End.Seconds() / float64(columns); got < 0.023-1e-9 || got > 0.023+1e-9 {
			t.Errorf("%d columns: near is busy for %g s, want 0.023", columns, got)
		}
	}
}

func TestGanttOfNothing(t *testing.T) {
	p, _ := run()
	g := results.NewGantt(p, nil, 40)
	var text, svg bytes.Buffer
	if err := g.WriteText(&text); err != nil || text.String() != "nothing happened\n" {
		t.Errorf("%v, %q", err, text.String())
	}
	if err := g.WriteSVG(&svg); err != nil {
		t.Error(err)
	}
}

// TestTables: CSV as it is to look, and Parquet as it reads back.
func TestTables(t *testing.T) {
	p, spans := run()
	requests, table := results.Requests(p, spans), results.Spans(p, spans)
	var csv, spansCSV, columns bytes.Buffer
	for _, err := range []error{results.WriteCSV(&csv, requests), results.WriteCSV(&spansCSV, table), results.WriteParquet(&columns, requests)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden.Match(t, "requests.csv", csv.Bytes())
	golden.Match(t, "spans.csv", spansCSV.Bytes())
	got, err := parquet.Read[results.Request](bytes.NewReader(columns.Bytes()), int64(columns.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(requests, got); diff != "" {
		t.Error(diff)
	}
	columns.Reset()
	if err := results.WriteParquet(&columns, table); err != nil {
		t.Fatal(err)
	}
	back, err := parquet.Read[results.Span](bytes.NewReader(columns.Bytes()), int64(columns.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(table, back); diff != "" {
		t.Error(diff)
	}
}
