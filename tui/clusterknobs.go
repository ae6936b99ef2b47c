package tui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard/topologies"
)

// memoryKnob is a device's usable memory; its overhead must stay below.
func memoryKnob(t *topologies.Topology, device int) knob {
	put := func(q Question, n topologies.Bytes) (Question, error) {
		return q.withDevice(device, func(d *topologies.Device) {
			d.Usable, d.Memory = n, max(d.Memory, n)
		})
	}
	return knob{
		name: "memory", of: t.Devices[device].Name,
		show: func(q *Question) string { return bytesText(int64(q.Topology.Devices[device].Usable)) },
		step: func(q Question, by int) (Question, error) {
			d := q.Topology.Devices[device]
			return put(q, max(topologies.Bytes(memoryRung(int64(d.Usable), by)), d.Overhead+1<<20))
		},
		share: func(q *Question) float64 { return onLog(float64(q.Topology.Devices[device].Usable), 1<<24, 1<<38) },
		slide: func(q Question, share float64) (Question, error) {
			n := memoryRung(int64(fromLog(share, 1<<24, 1<<38)), 1)
			return put(q, max(topologies.Bytes(n), q.Topology.Devices[device].Overhead+1<<20))
		},
		set: func(q Question, text string) (Question, error) {
			n, err := topologies.ParseBytes(text)
			if err != nil {
				return q, err
			}
			return put(q, n)
		},
	}
}

// speedKnob is a device's speed as a multiple of its data sheet's or profile's.
func speedKnob(t *topologies.Topology, device int) knob {
	put := func(q Question, speed float64) (Question, error) {
		return q.withDevice(device, func(d *topologies.Device) { d.Slowdown = 1 / speed })
	}
	speed := func(q *Question) float64 { return 1 / slowdown(&q.Topology.Devices[device]) }
	return knob{
		name: "speed", of: t.Devices[device].Name,
		show: func(q *Question) string { return "×" + digits(speed(q)) },
		step: func(q Question, by int) (Question, error) {
			return put(q, min(max(rung(round9(speed(&q)), by), 0.01), 100))
		},
		share: func(q *Question) float64 { return onLog(speed(q), 0.01, 100) },
		slide: func(q Question, share float64) (Question, error) { return put(q, rung(fromLog(share, 0.01, 100), 0)) },
		set: func(q Question, text string) (Question, error) {
			x, err := strconv.ParseFloat(strings.TrimLeft(text, "×x"), 64)
			if err != nil || !(x >= 0.001 && x <= 1000) {
				return q, fmt.Errorf("speed is %q: want a factor, 0.001 to 1000", text)
			}
			return put(q, x)
		},
	}
}

func round9(v float64) float64 { return math.Round(v*1e9) / 1e9 }

func slowdown(d *topologies.Device) float64 {
	if d.Slowdown > 0 {
		return d.Slowdown
	}
	return 1
}

// linkKnob is one amount of the link from a device to another, and of the way
// back unless one way is meant.
func linkKnob(t *topologies.Topology, from, to int, oneWay bool, name string, k knob) knob {
	k.name, k.of = name, linkName(t, from, to, oneWay)
	return k
}

func linkName(t *topologies.Topology, from, to int, oneWay bool) string {
	arrow := " ↔ "
	if oneWay {
		arrow = " → "
	}
	return t.Devices[from].Name + arrow + t.Devices[to].Name
}

func bandwidthKnob(t *topologies.Topology, from, to int, oneWay bool) knob {
	put := func(q Question, b topologies.BitRate) (Question, error) {
		return q.withLink(from, to, oneWay, func(l *topologies.Link) { l.Bandwidth = max(b, 1000) })
	}
	return linkKnob(t, from, to, oneWay, "bandwidth", knob{
		show: func(q *Question) string { return q.Topology.Link(from, to).Bandwidth.String() },
		step: func(q Question, by int) (Question, error) {
			return put(q, topologies.BitRate(min(rung(float64(q.Topology.Link(from, to).Bandwidth), by), 1e13)))
		},
		share: func(q *Question) float64 { return onLog(float64(q.Topology.Link(from, to).Bandwidth), 1e5, 1e12) },
		slide: func(q Question, share float64) (Question, error) {
			return put(q, topologies.BitRate(rung(fromLog(share, 1e5, 1e12), 0)))
		},
		set: func(q Question, text string) (Question, error) {
			b, err := topologies.ParseBitRate(text)
			if err != nil {
				return q, err
			}
			return put(q, b)
		},
	})
}

func latencyKnob(t *topologies.Topology, from, to int, oneWay bool) knob {
	put := func(q Question, d time.Duration) (Question, error) {
		return q.withLink(from, to, oneWay, func(l *topologies.Link) { l.Latency = d })
	}
	return linkKnob(t, from, to, oneWay, "latency", knob{
		show: func(q *Question) string { return durationText(q.Topology.Link(from, to).Latency) },
		step: func(q Question, by int) (Question, error) {
			now := max(q.Topology.Link(from, to).Latency, time.Microsecond)
			return put(q, min(max(time.Duration(rung(float64(now), by)), time.Microsecond), time.Minute))
		},
		share: func(q *Question) float64 { return onLog(float64(max(q.Topology.Link(from, to).Latency, 1)), 1e3, 1e10) },
		slide: func(q Question, share float64) (Question, error) {
			return put(q, time.Duration(rung(fromLog(share, 1e3, 1e10), 0)))
		},
		set: func(q Question, text string) (Question, error) {
			d, err := topologies.ParseDuration(text)
			if err != nil {
				return q, err
			}
			return put(q, time.Duration(d))
		},
	})
}
