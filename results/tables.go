// Package results writes what a run came to for people and their tools: requests
// and spans as CSV or Parquet, and the run as a Gantt chart in text, SVG or PNG.
package results

import (
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/edgeshard/edgeshard"
)

// A Request is a row of the table of requests. Times are since the run's start,
// or since the arrival; those of a request that got no token are 0.
type Request struct {
	Request   int64   `parquet:"request"`
	Class     string  `parquet:"class,dict"`
	Status    string  `parquet:"status,dict"` // done, oom or failed; unfinished where the run ended before
	ArrivalS  float64 `parquet:"arrival_s"`
	Prompt    int64   `parquet:"prompt_tokens"`
	Tokens    int64   `parquet:"tokens"` // generated
	QueueMS   float64 `parquet:"queue_ms"`
	TTFTMS    float64 `parquet:"ttft_ms"`
	TPOTMS    float64 `parquet:"tpot_ms"`
	LatencyMS float64 `parquet:"latency_ms"`
}

// A Span is a row of the table of spans: an edgeshard.Span with names for
// devices. Stage and Request are −1 where a span has none.
type Span struct {
	What       string `parquet:"what,dict"`
	Request    int64  `parquet:"request"`
	MicroBatch int64  `parquet:"micro_batch"`
	Batch      int64  `parquet:"batch"`
	Step       int64  `parquet:"step"`
	Stage      int64  `parquet:"stage"`
	Device     string `parquet:"device,dict"`
	To         string `parquet:"to,dict"`
	Bytes      int64  `parquet:"bytes"`
	StartNS    int64  `parquet:"start_ns"`
	FreeNS     int64  `parquet:"free_ns"`
	EndNS      int64  `parquet:"end_ns"`
}

// Requests returns the table of the requests of a run of p.
func Requests(p *edgeshard.Plan, spans []edgeshard.Span) []Request {
	rows := arrivals(&p.Workload)
	first, last := make([]float64, len(rows)), make([]float64, len(rows))
	for _, s := range spans {
		if s.Request < 0 || s.Request >= len(rows) {
			continue
		}
		row := &rows[s.Request]
		switch s.What {
		case edgeshard.Queue:
			row.QueueMS += edgeshard.Milliseconds(s.End - s.Start)
		case edgeshard.OOM:
			row.Status = "oom"
		case edgeshard.Failed:
			row.Status = "failed"
		case edgeshard.Token:
			if s.Step == 0 {
				row.ArrivalS, first[s.Request] = s.Start.Seconds(), edgeshard.Milliseconds(s.End)
				row.TTFTMS = edgeshard.Milliseconds(s.End - s.Start)
			}
			last[s.Request] = edgeshard.Milliseconds(s.End)
			row.Tokens++
			row.Status = "done"
		}
	}
	for i := range rows {
		if rows[i].Tokens > 0 {
			rows[i].LatencyMS = rows[i].TTFTMS + last[i] - first[i]
		}
		if rows[i].Tokens > 1 {
			rows[i].TPOTMS = (last[i] - first[i]) / float64(rows[i].Tokens-1)
		}
	}
	return rows
}

// arrivals returns the rows of a workload's requests before any has run.
func arrivals(w *edgeshard.Workload) []Request {
	var rows []Request
	for _, r := range w.Arrivals() {
		row := Request{Request: int64(r.ID), Status: "unfinished", ArrivalS: r.Arrival.Seconds(), Prompt: int64(r.Prompt)}
		if r.Class < len(w.Classes) {
			row.Class = w.Classes[r.Class].Name
		}
		rows = append(rows, row)
	}
	return rows
}

// Spans returns the table of a run's spans.
func Spans(p *edgeshard.Plan, spans []edgeshard.Span) []Span {
	name := func(device int) string {
		if device < 0 || device >= len(p.Topology.Devices) {
			return ""
		}
		return p.Topology.Devices[device].Name
	}
	rows := make([]Span, len(spans))
	for i, s := range spans {
		to := ""
		if s.What == edgeshard.Send || s.What == edgeshard.Back {
			to = name(s.To)
		}
		rows[i] = Span{
			What: string(s.What), Request: int64(s.Request), MicroBatch: int64(s.MicroBatch), Batch: int64(s.Batch), Step: int64(s.Step),
			Stage: int64(s.Stage), Device: name(s.Device), To: to, Bytes: s.Bytes, StartNS: int64(s.Start), FreeNS: int64(s.Free), EndNS: int64(s.End),
		}
	}
	return rows
}

// WriteParquet writes a table as a Parquet file.
func WriteParquet[Row Request | Span](w io.Writer, rows []Row) error {
	return parquet.Write(w, rows)
}

// WriteCSV writes a table as CSV with a header of the same columns as in Parquet.
func WriteCSV[Row Request | Span](w io.Writer, rows []Row) error {
	out := csv.NewWriter(w)
	var header []string
	for _, c := range parquet.SchemaOf(new(Row)).Columns() {
		header = append(header, c[0])
	}
	if err := out.Write(header); err != nil {
		return err
	}
	line := make([]string, len(header))
	for i := range rows {
		fields := reflect.ValueOf(rows[i])
		for f := range line {
			line[f] = cell(fields.Field(f))
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func cell(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.String:
		return v.String()
	}
	panic(fmt.Sprintf("results: column of type %s", v.Type()))
}
