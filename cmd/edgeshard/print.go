package main

import (
	"encoding"
	"fmt"
	"os"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"golang.org/x/term"

	"github.com/edgeshard/edgeshard/topologies"
)

var (
	titleStyle   = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("14"))
	headerStyle  = lipgloss.NewStyle().Bold(true)
	faintStyle   = lipgloss.NewStyle().Faint(true)
	goodStyle    = lipgloss.NewStyle().Foreground(lipgloss.Color("2"))
	warningStyle = lipgloss.NewStyle().Foreground(lipgloss.Color("3"))
	errorStyle   = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("1"))
)

// stageColors tell devices apart, in the order of their first stage; chosen to
// differ for the colour-blind too (Okabe and Ito's palette, as 256-colour codes).
var stageColors = []string{"214", "74", "36", "220", "25", "166", "175", "245"}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// table writes rows under headers; all columns but the first are right-aligned.
func (a *app) table(headers []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	t := table.New().Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderHeader(false).Headers(headers...).Rows(rows...).
		StyleFunc(func(row, col int) lipgloss.Style {
			s := lipgloss.NewStyle()
			if row == table.HeaderRow {
				s = headerStyle
			}
			if col > 0 {
				s = s.Align(lipgloss.Right)
			}
			return s.PaddingRight(1)
		})
	for _, line := range strings.Split(t.String(), "\n") {
		a.printf("  %s", strings.TrimRight(line, " "))
	}
}

// title writes a heading.
func (a *app) title(format string, args ...any) {
	a.printf("\n%s", titleStyle.Render(fmt.Sprintf(format, args...)))
}

// bytesText writes an amount of memory with three digits.
func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for ; v >= 1024 && i < len(units)-1; i++ {
		v /= 1024
	}
	return digits(v) + " " + units[i]
}

// digits writes v with three significant digits, without an exponent.
func digits(v float64) string {
	switch {
	case v >= 100 || v == float64(int64(v)):
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// msText writes milliseconds.
func msText(ms float64) string { return digits(ms) + " ms" }

func linkText(l topologies.Link) string {
	return fmt.Sprintf("%s, %s", text(l.Bandwidth), l.Latency.Round(time.Microsecond))
}

// text writes a quantity as topology files do.
func text(q encoding.TextMarshaler) string {
	b, err := q.MarshalText()
	if err != nil {
		return err.Error()
	}
	return string(b)
}
