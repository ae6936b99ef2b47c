package tui

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// A knob is a value of the question that keys change.
type knob struct {
	name string // as people read it
	of   string // the device or link it is of
	show func(q *Question) string
	// step returns the question with the value some steps up or down.
	step func(q Question, by int) (Question, error)
	// set returns the question with the value that was typed.
	set func(q Question, text string) (Question, error)
	// share is where the value is between its limits, in [0, 1]; nil: it is a choice.
	share func(q *Question) float64
	// slide returns the question with the value at a share; nil: no pointer moves it.
	slide func(q Question, share float64) (Question, error)
}

// label names the knob in undo, notices and charts.
func (k knob) label() string {
	if k.of == "" {
		return k.name
	}
	return k.name + " of " + k.of
}

// onLog returns where v is between low and high, evenly by orders of magnitude.
func onLog(v, low, high float64) float64 {
	return min(max(math.Log(v/low)/math.Log(high/low), 0), 1)
}

// fromLog returns the value at a share, as onLog counts them.
func fromLog(share, low, high float64) float64 {
	return low * math.Pow(high/low, min(max(share, 0), 1))
}

// choice is a knob that goes through some values.
func choice[T comparable](name string, all func(q *Question) []T, text func(T) string, get func(*Question) T, put func(Question, T) Question) knob {
	return knob{
		name: name,
		show: func(q *Question) string { return text(get(q)) },
		step: func(q Question, by int) (Question, error) { return put(q, cycle(all(&q), get(&q), by)), nil },
		set: func(q Question, typed string) (Question, error) {
			var names []string
			for _, v := range all(&q) {
				if text(v) == typed {
					return put(q, v), nil
				}
				names = append(names, text(v))
			}
			return q, fmt.Errorf("%s is %q: want one of %s", name, typed, strings.Join(names, ", "))
		},
	}
}

// count is a knob of a whole number of the workload.
func count(name string, most float64, field func(w *edgeshard.Workload) *int) knob {
	put := func(q Question, n int) Question {
		*field(&q.Workload) = n
		settle(&q.Workload, name)
		return q
	}
	return knob{
		name:  name,
		show:  func(q *Question) string { return strconv.Itoa(*field(&q.Workload)) },
		step:  func(q Question, by int) (Question, error) { return put(q, wholeRung(*field(&q.Workload), by)), nil },
		share: func(q *Question) float64 { return onLog(float64(*field(&q.Workload)), 1, most) },
		slide: func(q Question, share float64) (Question, error) {
			return put(q, wholeRung(int(fromLog(share, 1, most)-0.5), 1)), nil
		},
		set: func(q Question, text string) (Question, error) {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return q, fmt.Errorf("%s is %q: want a whole number from 1", name, text)
			}
			return put(q, n), nil
		},
	}
}

// settle keeps a workload's sizes in order after one of them changed: a
// micro-batch within the batch, and requests enough to fill it.
func settle(w *edgeshard.Workload, changed string) {
	switch changed {
	case "batch":
		w.MicroBatch = min(w.MicroBatch, w.Batch)
		w.Requests = max(w.Requests, w.Batch)
	case "micro-batch":
		w.Batch = max(w.Batch, w.MicroBatch)
		w.Requests = max(w.Requests, w.Batch)
	}
}

// leading is a knob of units pinned to the source.
func leading(name string, least int, field func(q *Question) *int) knob {
	put := func(q Question, n int) (Question, error) {
		if n < least || n > q.Model.Config.Units()/2 {
			return q, fmt.Errorf("%s is %d: want %d to %d", name, n, least, q.Model.Config.Units()/2)
		}
		*field(&q) = n
		return q, nil
	}
	return knob{
		name:  name,
		show:  func(q *Question) string { return strconv.Itoa(max(*field(q), least)) },
		step:  func(q Question, by int) (Question, error) { return put(q, max(max(*field(&q), least)+by, least)) },
		share: func(q *Question) float64 { return float64(*field(q)) / float64(q.Model.Config.Units()/2) },
		slide: func(q Question, share float64) (Question, error) {
			return put(q, max(int(math.Round(share*float64(q.Model.Config.Units()/2))), least))
		},
		set: func(q Question, text string) (Question, error) {
			n, err := strconv.Atoi(text)
			if err != nil {
				return q, fmt.Errorf("%s is %q: want a whole number", name, text)
			}
			return put(q, n)
		},
	}
}

// knobs are those of the question itself, in the order they are shown.
func (b *Backend) knobs() []knob {
	plain := func(s string) string { return s }
	return []knob{
		b.modelKnob(),
		choice("precision", func(*Question) []models.Precision { return models.Precisions() }, models.Precision.String,
			func(q *Question) models.Precision { return q.Model.Precision }, Question.withPrecision),
		choice("objective", func(*Question) []edgeshard.Objective { return objectives }, func(o edgeshard.Objective) string { return string(o) },
			func(q *Question) edgeshard.Objective { return q.Objective },
			func(q Question, o edgeshard.Objective) Question { q.Objective = o; return q }),
		choice("schedule", func(*Question) []edgeshard.Schedule {
			return []edgeshard.Schedule{edgeshard.NoBubbles, edgeshard.Bubbles, edgeshard.Sequential}
		}, func(s edgeshard.Schedule) string { return string(s) },
			func(q *Question) edgeshard.Schedule { return q.Workload.Schedule },
			func(q Question, s edgeshard.Schedule) Question { q.Workload.Schedule = s; return q }),
		choice("source", func(q *Question) []int { return indices(len(q.Topology.Devices)) }, nil,
			func(q *Question) int { return q.Topology.Source }, Question.withSource).named(),
		count("batch", 256, func(w *edgeshard.Workload) *int { return &w.Batch }),
		count("micro-batch", 256, func(w *edgeshard.Workload) *int { return &w.MicroBatch }),
		count("requests", 1024, func(w *edgeshard.Workload) *int { return &w.Requests }),
		count("prompt", 2048, func(w *edgeshard.Workload) *int { return &w.PromptTokens }),
		count("tokens", 2048, func(w *edgeshard.Workload) *int { return &w.Tokens }),
		rateKnob(),
		choice("solver", func(*Question) []string { return b.Solvers }, plain,
			func(q *Question) string { return q.Solver },
			func(q Question, s string) Question { q.Solver = s; return q }),
		leading("private", 1, func(q *Question) *int { return &q.Private }),
		leading("tail", 0, func(q *Question) *int { return &q.Tail }),
	}
}

// named makes a knob of device indices show and read names.
func (k knob) named() knob {
	k.show = func(q *Question) string { return q.Topology.Devices[q.Topology.Source].Name }
	k.set = func(q Question, text string) (Question, error) {
		i, ok := q.Topology.Index(text)
		if !ok {
			return q, fmt.Errorf("%s is %q: want a device's name", k.name, text)
		}
		return q.withSource(i), nil
	}
	return k
}

func (b *Backend) modelKnob() knob {
	set := func(q Question, ref string) (Question, error) {
		m, err := b.Model(ref)
		if err != nil {
			return q, err
		}
		if _, builtin := models.Builtin(ref); builtin && ref != models.Demo {
			m.Precision = q.Model.Precision
		}
		if ctx := m.Config.Context; q.Workload.Positions() > ctx {
			q.Workload.PromptTokens = min(q.Workload.PromptTokens, ctx/4)
			q.Workload.Tokens = min(q.Workload.Tokens, ctx-q.Workload.PromptTokens)
		}
		return q.withModel(m), nil
	}
	return knob{
		name: "model",
		show: func(q *Question) string { return q.Model.Config.Name },
		step: func(q Question, by int) (Question, error) { return set(q, cycle(b.Models, q.Model.Ref, by)) },
		set:  set,
	}
}

// rateKnob is the arrivals a second; 0: all requests are there at the start.
func rateKnob() knob {
	put := func(q Question, r float64) Question { q.Workload.Rate = r; return q }
	return knob{
		name: "rate",
		show: func(q *Question) string {
			if q.Workload.Rate == 0 {
				return "at once"
			}
			return digits(q.Workload.Rate) + "/s"
		},
		step: func(q Question, by int) (Question, error) {
			switch r := q.Workload.Rate; {
			case r == 0 && by > 0:
				return put(q, 0.01), nil
			case r <= 0.01 && by < 0:
				return put(q, 0), nil
			default:
				return put(q, rung(r, by)), nil
			}
		},
		share: func(q *Question) float64 { return onLog(max(q.Workload.Rate, 0.01), 0.01, 1000) },
		slide: func(q Question, share float64) (Question, error) {
			if share <= 0 {
				return put(q, 0), nil
			}
			return put(q, rung(fromLog(share, 0.01, 1000), 0)), nil
		},
		set: func(q Question, text string) (Question, error) {
			r, err := strconv.ParseFloat(strings.TrimSuffix(text, "/s"), 64)
			if err != nil || !(r >= 0) {
				return q, fmt.Errorf("rate is %q: want requests a second, 0 for all at once", text)
			}
			return put(q, r), nil
		},
	}
}
