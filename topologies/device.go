package topologies

import (
	"net"
	"strconv"
	"unicode/utf8"
)

// maxSlowdown bounds Slowdown, so that no time overflows.
const maxSlowdown = 1e6

type complaint func(key, format string, args ...any)

// check reports what no device can have.
func (e *entry) check(fault complaint) {
	if e.Name == "" {
		fault("name", "expected a name, found none")
	} else if !nameSyntax.MatchString(e.Name) {
		fault("name", "expected letters, digits, points, dashes and underscores, at most 64, found %q", clip(e.Name))
	}
	if e.Class != "" && !nameSyntax.MatchString(e.Class) {
		fault("class", "expected letters, digits, points, dashes and underscores, at most 64, found %q", clip(e.Class))
	}
	if _, given := e.paths["count"]; (given || e.Count != 0) && (e.Count < 1 || e.Count > MaxDevices) {
		fault("count", "expected 1 to %d, found %d", MaxDevices, e.Count)
	}
	e.checkMemory(fault)
	e.checkSpeed(fault)
	e.checkPower(fault)
	e.checkAddress(fault)
}

func (e *entry) checkMemory(fault complaint) {
	switch {
	case e.given("memory", e.Memory != 0) && e.Memory <= 0:
		fault("memory", "expected more than 0B, found %s", e.Memory)
	case e.Memory == 0:
		fault("memory", "expected a size such as 32GB, found none")
	}
	usable := or(e.Usable, e.Memory)
	switch {
	case e.given("usable", e.Usable != 0) && e.Usable <= 0:
		fault("usable", "expected more than 0B, found %s", e.Usable)
	case e.Usable > e.Memory && e.Memory > 0 && e.trust("memory"):
		fault("usable", "expected at most the memory, %s, found %s", e.Memory, e.Usable)
	}
	if e.Overhead < 0 || e.Overhead >= usable && usable > 0 && e.Overhead > 0 && e.trust("memory", "usable") {
		fault("overhead", "expected 0B or more and less than the usable memory, %s, found %s", usable, e.Overhead)
	}
}

func (e *entry) checkSpeed(fault complaint) {
	measured := e.Profile != "" || !e.trust("profile")
	if e.given("flops", e.FLOPS != 0) && (e.FLOPS == 0 || !inRange(float64(e.FLOPS))) {
		fault("flops", "expected more than 0FLOPS and at most %s, found %s", Rate(maxFloat), e.FLOPS)
	} else if e.FLOPS == 0 && !measured {
		fault("flops", "expected a compute rate such as 3.33TFLOPS, or a profile, found neither")
	}
	if e.given("memory_bandwidth", e.MemoryBandwidth != 0) && e.MemoryBandwidth <= 0 {
		fault("memory_bandwidth", "expected more than 0B/s, found %s", e.MemoryBandwidth)
	} else if e.MemoryBandwidth == 0 && !measured {
		fault("memory_bandwidth", "expected a byte rate such as 204.8GB/s, or a profile, found neither")
	}
	if e.given("slowdown", e.Slowdown != 0) && !(e.Slowdown > 0 && e.Slowdown <= maxSlowdown) {
		fault("slowdown", "expected more than 0 and at most %g, found %g", maxSlowdown, e.Slowdown)
	}
	if _, err := ParseCores(e.Cores); err != nil {
		fault("cores", "%v", err)
	}
	if !utf8.ValidString(e.Profile) || len(e.Profile) > maxText {
		fault("profile", "expected a built-in profile or a file's path of at most %d bytes, found %q", maxText, clip(e.Profile))
	}
}

func (e *entry) checkPower(fault complaint) {
	for _, p := range []struct {
		key   string
		watts Watts
	}{{"idle_power", e.IdlePower}, {"active_power", e.ActivePower}} {
		if !inRange(float64(p.watts)) {
			fault(p.key, "expected 0W or more, found %s", p.watts)
		}
	}
	if e.ActivePower > 0 && e.IdlePower > e.ActivePower && e.trust("active_power") {
		fault("idle_power", "expected at most the active power, %s, found %s", e.ActivePower, e.IdlePower)
	}
}

func (e *entry) checkAddress(fault complaint) {
	if e.Address == "" {
		return
	}
	if e.Count > 0 {
		fault("address", "expected none beside a count, found %q: give each of these devices an entry of its own", clip(e.Address))
		return
	}
	host, port, err := net.SplitHostPort(e.Address)
	n, perr := strconv.Atoi(port)
	if err != nil || perr != nil || host == "" || n < 1 || n > 65535 || !utf8.ValidString(host) || len(host) > 255 {
		fault("address", "expected host:port, found %q", clip(e.Address))
	}
}

// given tells whether a key is there: in a file by its place, else by its value.
func (e *entry) given(key string, set bool) bool {
	_, ok := e.paths[key]
	return ok || set
}
