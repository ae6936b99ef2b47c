package topologies

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

// naiveLink finds the link of a pair by the text of the rules: of those that
// match, the most specific, of equals the last.
func naiveLink(devices []Device, rules []rule, from, to int) (Link, bool) {
	isDevice := func(s string) bool { return slices.ContainsFunc(devices, func(d Device) bool { return d.Name == s }) }
	score := func(end string, d Device) int {
		switch {
		case end == d.Name:
			return 4
		case end == d.Class && !isDevice(end):
			return 2
		case end == "*":
			return 0
		}
		return -100
	}
	best, found := -1, Link{}
	for _, r := range rules {
		a, b := r.ends()
		s := score(a, devices[from]) + score(b, devices[to])
		if !r.directed() {
			s = max(s, score(a, devices[to])+score(b, devices[from]))
		} else {
			s++
		}
		if s >= 0 && s >= best {
			best, found = s, r.link()
		}
	}
	return found, best >= 0
}

// drawDraft draws devices in classes, and rules between anything.
func drawDraft(t *rapid.T) *draft {
	d := &draft{Name: "drawn"}
	var ends []string
	for i := range rapid.IntRange(1, 4).Draw(t, "entries") {
		e := entry{Device: Device{Name: fmt.Sprintf("e%d", i), Memory: 1 << 30, FLOPS: 1e9, MemoryBandwidth: 1e9}}
		e.Class = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "class")
		e.Count = rapid.IntRange(0, 3).Draw(t, "count")
		ends = append(ends, or(e.Class, e.Name))
		for k := range e.Count {
			ends = append(ends, fmt.Sprintf("%s-%d", e.Name, k+1))
		}
		if e.Count == 0 {
			ends = append(ends, e.Name)
		}
		d.Devices = append(d.Devices, e)
	}
	draw := rapid.SampledFrom(append(ends, anyDevice))
	if rapid.IntRange(0, 3).Draw(t, "default") > 0 {
		d.Links = append(d.Links, linkEntry{rule: rule{Bandwidth: 100}})
	}
	for i := range rapid.IntRange(0, 8).Draw(t, "rules") {
		r := rule{Bandwidth: BitRate(i + 1), Latency: Duration(i)}
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 0:
			r.Between = []string{draw.Draw(t, "a"), draw.Draw(t, "b")}
		case 1:
			r.From, r.To = draw.Draw(t, "from"), draw.Draw(t, "to")
		}
		d.Links = append(d.Links, linkEntry{rule: r})
	}
	return d
}

// checkLinks compares a topology's links with those of rules searched one by one,
// and returns how many; where rules are missing it has faults.
func checkLinks(t *rapid.T, top *Topology, faults []tomlfile.Fault) int {
	compared, covered := 0, true
	pairs(top.Devices, func(from, to int) {
		want, ok := naiveLink(top.Devices, top.links.rules, from, to)
		covered = covered && ok
		if len(faults) > 0 {
			return
		}
		compared++
		if got := top.Link(from, to); got != want || !ok {
			t.Fatalf("link from %s to %s is %v, want %v", top.Devices[from].Name, top.Devices[to].Name, got, want)
		}
	})
	if covered != (len(faults) == 0) {
		t.Fatalf("all pairs covered: %v, faults %v", covered, faults)
	}
	for i := range top.Devices {
		if covered && top.Link(i, i) != (Link{}) {
			t.Fatalf("a device's link to itself is %v", top.Link(i, i))
		}
	}
	return compared
}

func TestTheMostSpecificRuleHolds(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		d := drawDraft(t)
		var faults plain
		top := (&builder{draft: d, reporter: &faults}).build()
		ends := 0 // faults of rules between a device and itself
		for _, f := range faults.faults.Faults {
			if f.Key != "link" {
				ends++
			}
		}
		if ends > 0 {
			t.Skip("a device linked to itself")
		}
		compared += checkLinks(t, top, faults.faults.Faults)
	})
	t.Logf("%d links compared", compared)
	if compared < 500 {
		t.Error("hardly any links were compared")
	}
}

// drawTopology draws devices, and links of few kinds.
func drawTopology(t *rapid.T) *Topology {
	n := rapid.IntRange(1, 8).Draw(t, "n")
	devices := make([]Device, n)
	for i := range devices {
		devices[i] = Device{
			Name: fmt.Sprintf("c-%d", i+1), Class: rapid.SampledFrom([]string{"", "c", "k"}).Draw(t, "class"),
			Memory: Bytes(rapid.Int64Range(2, 3).Draw(t, "memory")), FLOPS: Rate(rapid.Float64Range(1, 1.5).Draw(t, "flops")), MemoryBandwidth: 1,
			Slowdown: rapid.SampledFrom([]float64{0, 1, 1.7}).Draw(t, "slowdown"), ActivePower: Watts(rapid.Float64Range(1, 2).Draw(t, "power")),
		}
		if i > 0 && rapid.Bool().Draw(t, "same") {
			devices[i] = devices[i-1]
			devices[i].Name = fmt.Sprintf("c-%d", i+1)
		}
	}
	links := make(map[[2]int]Link)
	pairs(devices, func(from, to int) {
		links[[2]int{from, to}] = Link{Bandwidth: BitRate(rapid.IntRange(1, 3).Draw(t, "bandwidth")), Latency: time.Duration(rapid.IntRange(0, 1).Draw(t, "latency"))}
	})
	top, err := New("drawn", devices, rapid.IntRange(0, n-1).Draw(t, "source"), func(from, to int) Link { return links[[2]int{from, to}] })
	if err != nil {
		t.Fatal(err)
	}
	for p, l := range links {
		if got := top.Link(p[0], p[1]); got != l {
			t.Fatalf("link %v is %v, want %v", p, got, l)
		}
	}
	return top
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		jsonRoundTrip(t, drawTopology(t))
		jsonRoundTrip(t, Random(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 40).Draw(t, "n")))
	})
}

func jsonRoundTrip(t interface{ Fatalf(string, ...any) }, want *Topology) {
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var got Topology
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Fatalf("read back (-want +got):\n%s\n%s", diff, data)
	}
	again, err := json.Marshal(&got)
	if err != nil || string(again) != string(data) {
		t.Fatalf("written again (%v)\n%s\nfirst\n%s", err, again, data)
	}
}

func TestCopiesWithAChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		top := drawTopology(t)
		n := len(top.Devices)
		if n < 2 {
			t.Skip("no links")
		}
		from := rapid.IntRange(0, n-1).Draw(t, "from")
		to := (from + rapid.IntRange(1, n-1).Draw(t, "step")) % n
		link := Link{Bandwidth: 77, Latency: time.Millisecond}
		device := top.Devices[from]
		device.Slowdown, device.Name = 3, "ignored"
		changed, err := top.WithLink(from, to, link)
		if err == nil {
			changed, err = changed.WithDevice(from, device)
		}
		if err != nil {
			t.Fatal(err)
		}
		pairs(top.Devices, func(a, b int) {
			want := top.Link(a, b)
			if a == from && b == to {
				want = link
			}
			if got := changed.Link(a, b); got != want {
				t.Fatalf("link %d to %d is %v, want %v", a, b, got, want)
			}
		})
		if got := changed.Devices[from]; got.Slowdown != 3 || got.Name != top.Devices[from].Name || top.Devices[from].Slowdown == 3 {
			t.Fatalf("device is %+v", got)
		}
		jsonRoundTrip(t, changed)
	})
}

func TestWithDeviceRefusesWhatNoFileMayHave(t *testing.T) {
	top := Random(1, 4)
	d := top.Devices[2]
	d.Usable = d.Memory + 1
	_, err := top.WithDevice(2, d)
	want := fmt.Sprintf("topology random-1-4: device d2: usable: expected at most the memory, %s, found %s", d.Memory, d.Usable)
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if _, err := top.WithLink(1, 1, top.Link(0, 1)); err == nil {
		t.Error("a link from a device to itself is accepted")
	}
}

func TestTablesStaySmall(t *testing.T) {
	top := Random(7, 1000)
	if cells := len(top.links.cells); cells > 550*550 {
		t.Errorf("1000 devices take %d cells", cells)
	}
	data, err := json.Marshal(top)
	if err != nil || len(data) > 300_000 {
		t.Errorf("1000 devices are %d bytes of JSON (%v)", len(data), err)
	}
	devices := make([]Device, MaxDevices)
	for i := range devices {
		devices[i] = Device{Name: fmt.Sprintf("x-%d", i+1), Class: "x", Memory: 1, FLOPS: 1, MemoryBandwidth: 1}
	}
	d := &draft{Name: "big", Devices: make([]entry, len(devices)), Links: []linkEntry{{rule: rule{Bandwidth: 1}}}}
	for i := range devices {
		d.Devices[i].Device = devices[i]
	}
	top, err = fromDraft(d)
	if err != nil {
		t.Fatal(err)
	}
	if len(top.links.cells) != 1 || top.Link(3, 9999) != (Link{Bandwidth: 1}) {
		t.Errorf("%d cells, link %v", len(top.links.cells), top.Link(3, 9999))
	}
	data, err = json.Marshal(top)
	if want := `{"name":"big","source":"x-1","cloud":"x-2","devices":[{"name":"x","memory":"1B","usable":"1B","flops":"1FLOPS","memory_bandwidth":"1B/s","count":10000}],"links":[{"bandwidth":"1bps","latency":"0ns"}]}`; string(data) != want {
		t.Errorf("written %s (%v)\nwant %s", data, err, want)
	}
}

func BenchmarkLink(b *testing.B) {
	top := Random(7, 1000)
	for i := range b.N {
		top.Link(i%1000, (i*7)%1000)
	}
}
