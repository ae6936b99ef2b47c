package tui

import (
	"fmt"

	"github.com/edgeshard/edgeshard"
)

// reportLines writes a report to read.
func reportLines(r *edgeshard.Report) []string {
	row := func(name string, d edgeshard.Distribution) string {
		return fmt.Sprintf("%-6s mean %-10s p50 %-10s p99 %-10s max %s", name, msText(d.Mean), msText(d.P50), msText(d.P99), msText(d.Max))
	}
	lines := []string{
		fmt.Sprintf("%s: %d requests, %d tokens in %s s, %s tokens/s", r.Backend, r.Requests, r.Tokens, digits(r.MakespanS), digits(r.Throughput)),
		row("TTFT", r.TTFT), row("TPOT", r.TPOT), "",
	}
	for _, d := range r.Devices {
		lines = append(lines, fmt.Sprintf("%-14s %6d passes  busy %-9s %5.1f %%  %s", d.Name, d.Passes, digits(d.BusyS)+" s", 100*d.Utilisation, bytesText(d.Memory)))
	}
	for _, l := range r.Links {
		lines = append(lines, fmt.Sprintf("%-24s %6d messages  %-9s %5.1f %%", l.From+" → "+l.To, l.Messages, bytesText(l.Bytes), 100*l.Utilisation))
	}
	for _, o := range r.OOM {
		lines = append(lines, fmt.Sprintf("out of memory: %s lacked %s at %s s", o.Device, bytesText(o.Missing), digits(o.AtS)))
	}
	for _, o := range r.Outputs {
		lines = append(lines, "", o.Text)
	}
	return lines
}
