package topologies

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// A quantity is a kind of amount: how an error calls it, and its units in
// ascending order, the first of them 1.
type quantity struct {
	what    string
	units   []unit
	aliases map[string]string // other spellings of units
}

type unit struct {
	name  string
	scale int64
}

const (
	maxDigits   = 40   // of a number; more say nothing an int64 or a float64 can hold
	maxFraction = 6    // digits after the point that formatInt writes
	maxFloat    = 1e24 // the largest Rate or Watts
	minFloat    = 1e-9 // the least above 0
)

// parseInt reads a number and its unit, to the nearest integer.
func (q *quantity) parseInt(text string) (int64, error) {
	digits, u, err := q.split(text)
	if err != nil {
		return 0, err
	}
	x, ok := new(big.Rat).SetString(digits)
	if !ok {
		return 0, q.fault(text, "not a number")
	}
	x.Mul(x, new(big.Rat).SetInt64(u.scale))
	n, rest := new(big.Int).QuoRem(x.Num(), x.Denom(), new(big.Int))
	if rest.Lsh(rest, 1).Cmp(x.Denom()) >= 0 {
		n.Add(n, big.NewInt(1))
	}
	if !n.IsInt64() {
		return 0, q.fault(text, "too large")
	}
	return n.Int64(), nil
}

// parseFloat reads a number and its unit; q's units are powers of ten.
func (q *quantity) parseFloat(text string) (float64, error) {
	digits, u, err := q.split(text)
	if err != nil {
		return 0, err
	}
	x, err := strconv.ParseFloat(digits+"e"+strconv.Itoa(exponent(u.scale)), 64)
	if err != nil || x > maxFloat {
		return 0, q.fault(text, "too large")
	}
	if !inRange(x) {
		return 0, q.fault(text, "too small")
	}
	return x, nil
}

func inRange(x float64) bool { return x == 0 || x >= minFloat && x <= maxFloat }

// split returns the number, of digits with at most one point, and the unit.
func (q *quantity) split(text string) (string, unit, error) {
	s := strings.TrimSpace(text)
	i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		i = len(s)
	}
	digits, name := s[:i], strings.TrimSpace(s[i:])
	switch {
	case strings.HasPrefix(s, "-"):
		return "", unit{}, q.fault(text, "negative")
	case digits == "" || strings.HasPrefix(digits, ".") || strings.HasSuffix(digits, ".") || strings.Count(digits, ".") > 1:
		return "", unit{}, q.fault(text, "not a number")
	case len(digits) > maxDigits:
		return "", unit{}, q.fault(text, fmt.Sprintf("more than %d digits", maxDigits))
	case name == "":
		return "", unit{}, q.fault(text, "no unit, one of "+q.unitNames())
	}
	u, ok := q.unit(name)
	if !ok {
		return "", unit{}, q.fault(text, fmt.Sprintf("unknown unit %q, not one of %s", clip(name), q.unitNames()))
	}
	return digits, u, nil
}

// unit finds a unit by its name; a leading k may be written K, and FLOPS in any case.
func (q *quantity) unit(name string) (unit, bool) {
	if alias, ok := q.aliases[name]; ok {
		name = alias
	}
	for _, u := range q.units {
		kilo := strings.HasPrefix(u.name, "k") && "K"+u.name[1:] == name
		flops := strings.HasSuffix(u.name, "FLOPS") && strings.EqualFold(u.name, name)
		if u.name == name || kilo || flops {
			return u, true
		}
	}
	return unit{}, false
}

func (q *quantity) unitNames() string {
	names := make([]string, len(q.units))
	for i, u := range q.units {
		names[i] = u.name
	}
	return strings.Join(names, ", ")
}

func (q *quantity) fault(text, why string) error {
	return fmt.Errorf("expected %s, found %q: %s", q.what, clip(text), why)
}

// clip shortens what a message quotes.
func clip(s string) string {
	if r := []rune(s); len(r) > maxDigits {
		return string(r[:maxDigits]) + "…"
	}
	return s
}

// formatInt writes n in the unit that makes the text shortest, the larger of
// two alike; units that n does not fill or that would not be exact are left out.
func (q *quantity) formatInt(n int64) string {
	best := strconv.FormatInt(n, 10) + q.units[0].name
	for _, u := range q.units[1:] {
		if n < u.scale {
			break
		}
		whole, rest := n/u.scale, n%u.scale
		digits, exact := fraction(rest, u.scale)
		text := strconv.FormatInt(whole, 10) + digits + u.name
		if exact && len(text) <= len(best) {
			best = text
		}
	}
	return best
}

// fraction returns rest/scale as decimals with their point, and whether that is
// exact within maxFraction of them.
func fraction(rest, scale int64) (string, bool) {
	if rest == 0 {
		return "", true
	}
	text := new(big.Rat).SetFrac64(rest, scale).FloatString(maxFraction)
	back, _ := new(big.Rat).SetString(text)
	text = strings.TrimRight(text, "0")
	return text[1:], back.Cmp(new(big.Rat).SetFrac64(rest, scale)) == 0
}

// formatFloat writes x in the largest unit it fills, in the fewest digits that
// read back as x.
func (q *quantity) formatFloat(x float64) string {
	shortest := strconv.FormatFloat(x, 'e', -1, 64)
	mantissa, exp, found := strings.Cut(shortest, "e")
	if !found {
		return shortest // NaN or infinite
	}
	e, _ := strconv.Atoi(exp)
	u := q.units[0]
	for _, larger := range q.units[1:] {
		if e >= exponent(larger.scale) && x > 0 {
			u = larger
		}
	}
	return shift(mantissa, e-exponent(u.scale)) + u.name
}

// shift moves the point of a decimal with one digit before it.
func shift(mantissa string, by int) string {
	sign, digits := "", strings.Replace(mantissa, ".", "", 1)
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if by < 0 {
		return sign + "0." + strings.Repeat("0", -by-1) + digits
	}
	if point := by + 1; point < len(digits) {
		return sign + digits[:point] + "." + digits[point:]
	}
	return sign + digits + strings.Repeat("0", by+1-len(digits))
}

// exponent returns e of a scale 10^e.
func exponent(scale int64) int { return len(strconv.FormatInt(scale, 10)) - 1 }
