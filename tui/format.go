package tui

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// digits writes v with three significant digits, without an exponent.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case a >= 1e6:
		return fmt.Sprintf("%.3g", v)
	case a >= 99.95 || v == 0:
		return fmt.Sprintf("%.0f", v)
	case a >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// msText writes milliseconds, as seconds where they are many.
func msText(ms float64) string {
	if math.Abs(ms) >= 10_000 {
		return digits(ms/1000) + " s"
	}
	return digits(ms) + " ms"
}

func durationText(d time.Duration) string { return msText(float64(d) / 1e6) }

// bytesText writes an amount of memory.
func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for ; math.Abs(v) >= 1024 && i < len(units)-1; i++ {
		v /= 1024
	}
	return digits(v) + " " + units[i]
}

// shortBytes is bytesText in few cells.
func shortBytes(n int64) string {
	return strings.NewReplacer(" ", "", "iB", "").Replace(bytesText(n))
}

// shortRate writes bits a second in at most five cells.
func shortRate(bps float64) string {
	for _, u := range []struct {
		scale float64
		name  string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if bps >= u.scale {
			return strings.Replace(fmt.Sprintf("%.3g", bps/u.scale), "e+03", "000", 1) + u.name
		}
	}
	return digits(bps)
}

// change writes how much b is above a, with an arrow that shows the direction
// where colour does not.
func change(a, b float64) string {
	if a == b || a == 0 || math.Abs(b/a-1) < 0.0005 {
		return ""
	}
	arrow := "▲"
	if b < a {
		arrow = "▼"
	}
	share := 100 * (b/a - 1)
	if math.Abs(share) >= 1000 {
		return arrow + "×" + digits(b/a)
	}
	return fmt.Sprintf("%s%.1f%%", arrow, math.Abs(share))
}

// bar draws a share of w cells in eighths of a cell.
func bar(share float64, w int, block string) string {
	if w <= 0 || math.IsNaN(share) {
		return ""
	}
	eighths := int(math.Round(min(max(share, 0), 1) * float64(8*w)))
	full := strings.Repeat(block, eighths/8)
	if rest := eighths % 8; rest > 0 && block == "█" {
		full += string([]rune(" ▏▎▍▌▋▊▉")[rest])
	}
	return full
}

// plural writes a number of things.
func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// times writes how often.
func times(n int) string {
	switch n {
	case 0:
		return "nowhere"
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
