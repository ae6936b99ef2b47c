package experiments

import (
	"fmt"
	"math"
)

func (a *Axis) keys() []string {
	if len(a.Keys) > 0 {
		return a.Keys
	}
	return []string{a.Key}
}

func (a *Axis) names() []string {
	switch {
	case len(a.Names) > 0:
		return a.Names
	case a.Name != "":
		return []string{a.Name}
	}
	return a.keys()
}

// size is the number of values on a grid.
func (a *Axis) size() int {
	if a.From != nil {
		return a.Steps
	}
	return len(a.Values)
}

func (a *Axis) check(d Design) error {
	if (a.Key == "") == (len(a.Keys) == 0) {
		return fmt.Errorf("want key or keys")
	}
	for _, k := range a.keys() {
		if err := knownKey(k); err != nil {
			return err
		}
	}
	if len(a.names()) != len(a.keys()) {
		return fmt.Errorf("%d names for %d keys", len(a.names()), len(a.keys()))
	}
	if (a.From == nil) != (a.To == nil) || (a.From != nil) == (a.Values != nil) {
		return fmt.Errorf("want values, or both from and to")
	}
	if a.From != nil {
		return a.checkRange(d)
	}
	if len(a.Values) == 0 {
		return fmt.Errorf("has no value")
	}
	return a.checkValues()
}

func (a *Axis) checkValues() error {
	for i, v := range a.Values {
		row, ok := v.([]any)
		switch {
		case len(a.Keys) == 0 && !scalar(v):
			return fmt.Errorf("values[%d]: want a text, a number or a truth value, found %v", i, v)
		case len(a.Keys) > 0 && (!ok || len(row) != len(a.Keys) || !every(row, scalar)):
			return fmt.Errorf("values[%d]: want an array of %d values, one for each key, found %v", i, len(a.Keys), v)
		}
	}
	return nil
}

func (a *Axis) checkRange(d Design) error {
	switch {
	case len(a.Keys) > 0:
		return fmt.Errorf("several keys want values, not from and to")
	case a.Scale != "" && a.Scale != "linear" && a.Scale != "log":
		return fmt.Errorf("scale is %q: want linear or log", a.Scale)
	case !(*a.From < *a.To) || math.IsInf(*a.From, 0) || math.IsInf(*a.To, 0):
		return fmt.Errorf("from %g to %g: want finite numbers, the first below the second", *a.From, *a.To)
	case a.Scale == "log" && *a.From <= 0:
		return fmt.Errorf("from is %g: a log scale wants it above 0", *a.From)
	case d == Grid && (a.Steps < 2 || a.Steps > MaxPoints):
		return fmt.Errorf("steps is %d: want 2 to %d", a.Steps, MaxPoints)
	}
	return nil
}
