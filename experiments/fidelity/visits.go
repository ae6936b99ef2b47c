package fidelity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/wholefile"
)

// Profile visits the machine until every model's profile has the specification's
// visits, all models in turn in each: what the machine does meanwhile so befalls
// all profiles alike. It begins no visit after until, and reports whether all have
// been made. Once a configuration has run profiles are left alone.
func (e *Experiment) Profile(ctx context.Context, until time.Time) (done bool, err error) {
	if have, err := e.runs(); err != nil || len(have) > 0 {
		return true, err
	}
	refs, err := e.Spec.weights(ctx, e.Weights)
	if err != nil {
		return false, err
	}
	profiles, err := e.profiles()
	if err != nil {
		return false, err
	}
	for {
		lacking, last := e.lacking(profiles)
		if len(lacking) == 0 {
			return true, nil
		}
		if last.After(until) || time.Now().After(until) {
			return false, nil
		}
		if err := e.await(ctx, last); err != nil {
			return false, err
		}
		for _, m := range lacking {
			e.Bench.Progress("measuring the profile of %s, visit %d of %d", m.Name, profiles[m.Name].Visits()+1, e.Spec.Visits)
			p, err := e.Bench.Visit(ctx, m, refs[m.Name].Ref, profiles[m.Name])
			if err != nil {
				return false, fmt.Errorf("profile of %s: %w", m.Name, err)
			}
			p.Name, p.Model = m.Name, refs[m.Name].Config.Name
			if err := e.keep(p); err != nil {
				return false, err
			}
			profiles[m.Name] = p
		}
	}
}

// lacking returns the models with the fewest visits, of those that lack some, and
// from when on the next may be.
func (e *Experiment) lacking(profiles map[string]*edgeshard.Profile) (models []*Model, next time.Time) {
	fewest := e.Spec.Visits
	for i := range e.Spec.Models {
		fewest = min(fewest, profiles[e.Spec.Models[i].Name].Visits())
	}
	for i := range e.Spec.Models {
		m := &e.Spec.Models[i]
		p := profiles[m.Name]
		if fewest < e.Spec.Visits && p.Visits() == fewest {
			models = append(models, m)
		}
		if p != nil && p.Visits() > 0 && p.Visits() == fewest {
			if at, err := time.Parse(time.RFC3339, p.Date); err == nil && at.After(next) {
				next = at
			}
		}
	}
	if !next.IsZero() {
		next = next.Add(time.Duration(e.Spec.Apart))
	}
	return models, next
}

// await waits until the time of a visit.
func (e *Experiment) await(ctx context.Context, at time.Time) error {
	left := time.Until(at)
	if left <= 0 {
		return nil
	}
	e.Bench.Progress("the next visit is in %s", left.Round(time.Second))
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// profiles reads the profiles that there are, by model.
func (e *Experiment) profiles() (map[string]*edgeshard.Profile, error) {
	all := make(map[string]*edgeshard.Profile)
	for i := range e.Spec.Models {
		name := e.Spec.Models[i].Name
		p, err := edgeshard.LoadProfile(e.profileFile(name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil {
			all[name] = p
		}
	}
	return all, nil
}

func (e *Experiment) keep(p *edgeshard.Profile) error {
	text, err := p.TOML()
	if err != nil {
		return err
	}
	file := e.profileFile(p.Name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return wholefile.Write(file, text)
}

func (e *Experiment) profileFile(model string) string {
	return filepath.Join(e.Dir, "profiles", model+".toml")
}
