package experiments

import "fmt"

// tries is how many points a value may fail with before it counts as a mistake.
const tries = 64

// A valueCheck is whether a value of an axis has been seen to work.
type valueCheck struct {
	ok    bool
	tries int
	err   error
}

// check resolves the points one by one until each value of each axis has been
// seen to work with some others, so that a mistake is told before anything runs.
func (r *resolver) check(points []Point) error {
	seen := make(map[string]*valueCheck)
	var order []string
	for i := range points {
		var open []*valueCheck
		for _, x := range points[i].Settings {
			key := x.Key + " = " + x.text()
			if seen[key] == nil {
				seen[key] = &valueCheck{}
				order = append(order, key)
			}
			if s := seen[key]; !s.ok && s.tries < tries {
				open = append(open, s)
			}
		}
		if i > 0 && len(open) == 0 {
			continue
		}
		_, err := r.job(&points[i])
		if err != nil && len(points[i].Settings) == 0 {
			return err
		}
		for _, s := range open {
			s.tries, s.ok, s.err = s.tries+1, err == nil, err
		}
	}
	for _, key := range order {
		if s := seen[key]; !s.ok {
			return fmt.Errorf("%s: %w", key, s.err)
		}
	}
	return nil
}
