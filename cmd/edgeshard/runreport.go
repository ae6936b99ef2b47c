package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard"
)

// showDevices writes what devices did, and how long they loaded where that is known.
func (a *app) showDevices(devices []edgeshard.DeviceReport) {
	header := []string{"device", "passes", "busy", "utilised", "peak memory"}
	loaded := slices.ContainsFunc(devices, func(d edgeshard.DeviceReport) bool { return d.LoadMS > 0 })
	if loaded {
		header = append(header, "loading")
	}
	var rows [][]string
	for _, d := range devices {
		row := []string{d.Name, fmt.Sprint(d.Passes), digits(d.BusyS) + " s", fmt.Sprintf("%.1f %%", 100*d.Utilisation), bytesText(d.Memory)}
		if loaded {
			row = append(row, msText(d.LoadMS))
		}
		rows = append(rows, row)
	}
	a.table(header, rows)
}

// showReport writes a report for people.
func (a *app) showReport(r *edgeshard.Report) {
	if len(r.Outputs) > 1 {
		for _, o := range r.Outputs {
			a.printf("%s %s", headerStyle.Render(fmt.Sprintf("[%d]", o.Request)), strings.TrimSpace(o.Text))
		}
	}
	a.title("report (%s)", r.Backend)
	a.printf("  %d requests, %d tokens in %s s: %s tokens/s", r.Requests, r.Tokens, digits(r.MakespanS), digits(r.Throughput))
	row := func(name string, d edgeshard.Distribution) []string {
		return []string{name, digits(d.Mean), digits(d.P50), digits(d.P90), digits(d.P99), digits(d.Max)}
	}
	a.table([]string{"ms", "mean", "p50", "p90", "p99", "max"}, [][]string{row("TTFT", r.TTFT), row("TPOT", r.TPOT)})
	if t, ok := r.Bands["tpot_ms.mean"]; ok {
		f := r.Bands["ttft_ms.mean"]
		a.printf("  90 %%: mean TTFT %s to %s, TPOT %s to %s", digits(f.Low), msText(f.High), digits(t.Low), msText(t.High))
	}
	a.printf("")
	a.showDevices(r.Devices)
	var rows [][]string
	for _, l := range r.Links {
		rows = append(rows, []string{l.From + " → " + l.To, fmt.Sprint(l.Messages), bytesText(l.Bytes), fmt.Sprintf("%.1f %%", 100*l.Utilisation)})
	}
	a.printf("")
	a.table([]string{"link", "messages", "bytes", "utilised"}, rows)
	a.showImitation(r.Imitation)
	a.showExtras(r)
	a.warn(r.Warnings)
	for _, o := range r.OOM {
		a.printf("  %s %s lacked %s at %s s, for request %d", errorStyle.Render("out of memory:"), o.Device, bytesText(o.Missing), digits(o.AtS), o.Request)
	}
}
