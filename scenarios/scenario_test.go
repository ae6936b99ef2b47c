package scenarios_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/topologies"
)

func pair(t testing.TB) *topologies.Topology {
	t.Helper()
	d := func(name, class string) topologies.Device {
		return topologies.Device{Name: name, Class: class, Memory: 1 << 30, FLOPS: 1, MemoryBandwidth: 1}
	}
	topo, err := topologies.New("pair", []topologies.Device{d("near", "near"), d("far-1", "far"), d("far-2", "far")}, 0,
		func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1000} })
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

const everything = `
seed = 7
kv_policy = "grow"
prefill_chunk = 16

[[segment]]
name = "cell"
capacity = "300Mbps"
trace = "wifi"
devices = ["far"]

[[link]]
between = ["*", "*"]
jitter = { distribution = "lognormal", mean = "2ms", cv = 0.5 }
loss = 0.01

[[link]]
from = "near"
to = "far-1"
trace = "lte"
half_duplex = true
retransmit = "20ms"

[[device]]
name = "*"
background = 0.1

[[device]]
name = "far"
speed = 0.8
noise = { distribution = "gamma", cv = 0.05 }
thermal = { ambient_c = 25, limit_c = 80, hysteresis_c = 5, kelvin_per_watt = 3, joules_per_kelvin = 40, throttle = 1.7 }
battery_wh = 50

[[fault]]
at = "10s"
device = "far-1"
do = "freeze"
for = "2s"

[[fault]]
token = 50
between = ["near", "far"]
do = "degrade"
factor = 0.1

[recovery]
policy = "replan"
detect = "1s"
plan = "100ms"
cached = true

[speculative]
draft = "tinyllama-1.1b"
tokens = 4
acceptance = 0.7

[compression]
factor = 0.5
encode = "2GB/s"
decode = "4GB/s"

[delivery]
from = "near"
cached = ["far-2"]
shared = 0.5
`

// TestEverything reads a file with every table, and looks up what it says.
func TestEverything(t *testing.T) {
	topo := pair(t)
	s, err := scenarios.Parse("all.toml", []byte(everything), topo)
	if err != nil {
		t.Fatal(err)
	}
	l := s.LinkOf(topo, 0, 1)
	if l.Trace != "lte" || !l.HalfDuplex || l.Loss != 0.01 || l.Jitter == nil || l.Retransmit != topologies.Duration(20*time.Millisecond) {
		t.Errorf("near → far-1: %+v", l)
	}
	if l := s.LinkOf(topo, 1, 0); l.Trace != "" || l.HalfDuplex || l.Loss != 0.01 {
		t.Errorf("far-1 → near: %+v", l)
	}
	if d := s.DeviceOf(topo, 2); d.Background != 0.1 || d.Speed != 0.8 || d.Thermal.Throttle != 1.7 || d.Battery != 50 {
		t.Errorf("far-2: %+v", d)
	}
	if d := s.DeviceOf(topo, 0); d.Background != 0.1 || d.Thermal != nil {
		t.Errorf("near: %+v", d)
	}
	if g := &s.Segments[0]; !scenarios.Carries(g, topo, 0, 1) || !scenarios.Carries(g, topo, 1, 2) || scenarios.Carries(g, topo, 0, 0) {
		t.Error("the cell carries what it should not, or not what it should")
	}
	if !s.Faults[1].Joins(topo, 2, 0) || s.Faults[1].Joins(topo, 1, 2) || s.Faults[0].Joins(topo, 0, 1) {
		t.Error("faults join the wrong links")
	}
	if !s.Delivery.Has(topo, 2) || s.Delivery.Has(topo, 1) || s.Steady() {
		t.Error("delivery or steadiness is wrong")
	}
	if tr, err := s.Trace("wifi"); tr == nil || err != nil {
		t.Errorf("built-in trace: %v, %v", tr, err)
	}
}

// TestFaultsOfFiles: each is told in one line, with what was expected.
func TestFaultsOfFiles(t *testing.T) {
	for text, want := range map[string]string{
		"[[fault]]\nat=\"1s\"\ndevice=\"nowhere\"\ndo=\"kill\"":                  `f.toml:3: fault[0].device: expected a device of topology pair, found "nowhere"`,
		"[[fault]]\nat=\"1s\"\ndevice=\"near\"\ndo=\"cut\"":                      `f.toml:4: fault[0].do: expected kill or freeze or slow or recover, found "cut"`,
		"[[fault]]\nat=\"1s\"\nfrom=\"near\"\nto=\"far\"\ndo=\"kill\"":           `f.toml:5: fault[0].do: expected cut or degrade or recover, found "kill"`,
		"[[fault]]\ndevice=\"near\"\ndo=\"kill\"":                                `f.toml:1: fault[0]: expected either at or token`,
		"[[fault]]\nat=\"1s\"\ndevice=\"near\"\ndo=\"slow\"":                     `f.toml:1: fault[0].factor: expected 0.001 to 1e+06, found 0`,
		"[[fault]]\nat=\"1s\"\ndevice=\"near\"":                                  `f.toml:1: fault[0].do: expected kill or freeze or slow or recover, found none`,
		"[[fault]]\nat=\"1s\"\nfrom=\"near\"\ndo=\"cut\"":                        `f.toml:1: fault[0]: expected between, or from and to`,
		"[[fault]]\ntoken=-1\ndevice=\"near\"\ndo=\"kill\"":                      `f.toml:2: fault[0].token: expected 1 or more, found -1`,
		"[[segment]]\ndevices=[\"near\"]":                                        `f.toml:1: segment[0].capacity: expected a bit rate such as 300Mbps, found 0bps`,
		"[[segment]]\ncapacity=\"1Mbps\"":                                        `f.toml:1: segment[0]: expected either devices or between`,
		"[[link]]\nbetween=[\"near\",\"x\"]":                                     `f.toml:2: link[0].between: expected a device, a class or * of topology pair, found "x"`,
		"[[link]]\nbetween=[\"near\",\"far\"]\nloss=1.5":                         `f.toml:3: link[0].loss: expected 0 to 0.9, found 1.5`,
		"[[link]]\nbetween=[\"near\",\"far\"]\nloss=nan":                         `f.toml:3: link[0].loss: expected 0 to 0.9, found NaN`,
		"[[link]]\nbetween=[\"near\",\"far\"]\njitter={distribution=\"cauchy\"}": `f.toml:3: link[0].jitter: distribution is "cauchy": want one of constant, uniform, exponential, gamma, weibull, lognormal`,
		"[[device]]\nname=\"far\"\nbackground=1":                                 `f.toml:3: device[0].background: expected 0 to 0.99, found 1`,
		"[[device]]\nname=\"far\"\nthermal={ambient_c=25,limit_c=20}":            `f.toml:3: device[0].thermal.limit_c: expected 25.001 to 200, found 20`,
		"kv_policy=\"all\"":                                                      `f.toml:1: kv_policy: expected reserve or grow, found "all"`,
		"[recovery]\npolicy=\"pray\"":                                            `f.toml:2: recovery.policy: expected fail or replan, found "pray"`,
		"[speculative]\ntokens=0\nacceptance=0.5":                                `f.toml:2: speculative.tokens: expected 1 to 64, found 0`,
		"[compression]\nfactor=2":                                                `f.toml:2: compression.factor: expected 0.001 to 1, found 2`,
		"[delivery]\nfrom=\"far\"":                                               `f.toml:2: delivery.from: expected a device of topology pair, found "far"`,
	} {
		_, err := scenarios.Parse("f.toml", []byte(text), pair(t))
		if err == nil || !strings.Contains(err.Error()+"\n", want+"\n") {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
	if _, err := scenarios.Parse("f.toml", []byte("[[device]]\nname=\"far\"\nbackgroun=1"), pair(t)); err == nil || !strings.Contains(err.Error(), "f.toml:3") {
		t.Errorf("misspelt key: %v", err)
	}
}

// TestLoad: trace files are found beside the scenario; one that is not there, or
// is out of order, is an error.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("good.csv", "time_s,factor,latency_ms\n0,1,0\n1.5,0.25,3\n")
	write("bad.csv", "time_s,factor\n0,1\n2,1\n1,1\n")
	link := "[[link]]\nbetween=[\"near\",\"far\"]\ntrace=\""
	s, err := scenarios.Load(write("good.toml", link+"good.csv\""), pair(t))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := s.Trace("good.csv")
	if err != nil {
		t.Fatal(err)
	}
	p, until := tr.At(2 * time.Second)
	if p.Factor != 0.25 || p.Latency != 3*time.Millisecond || until < time.Hour || p.Rate(1000) != 250 {
		t.Errorf("at 2 s %+v until %v", p, until)
	}
	if p, until := tr.At(0); p.Factor != 1 || until != 1500*time.Millisecond {
		t.Errorf("at 0 s %+v until %v", p, until)
	}
	for file, want := range map[string]string{"bad.csv": "bad.csv:4: expected a time after 2s, found 1s", "none.csv": "none.csv: no such file"} {
		if _, err := scenarios.Load(write("x.toml", link+file+"\""), pair(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestFaultsOfTraces(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "t.csv:1: expected a header, found EOF",
		"a,b\n":                       `t.csv:1: expected the columns time_s, factor or bandwidth_mbps, and if wanted latency_ms, found ["a" "b"]`,
		"time_s,factor\n":             "t.csv: no points",
		"time_s,factor\n1,1\n":        "t.csv:2: expected the first point at 0, found 1 s",
		"time_s,factor\n0,x\n":        `t.csv:2: column 2: expected a number from 0 to 1e9, found "x"`,
		"time_s,factor\n0,NaN\n":      `t.csv:2: column 2: expected a number from 0 to 1e9, found "NaN"`,
		"time_s,bandwidth_mbps\n0,-1": `t.csv:2: column 2: expected a number from 0 to 1e9, found "-1"`,
		"time_s,factor\n0,1\n0,1\n":   "t.csv:3: expected a time after 0s, found 0s",
	} {
		if _, err := scenarios.ParseTrace("t.csv", strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestSynthetic: built-in traces repeat, are the same for the same seed, and keep
// to what links can do.
func TestSynthetic(t *testing.T) {
	for _, name := range scenarios.TraceNames {
		a, _ := scenarios.Synthetic(name, 1)
		b, _ := scenarios.Synthetic(name, 1)
		c, _ := scenarios.Synthetic(name, 2)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s: not the same for the same seed:\n%s", name, diff)
		}
		if cmp.Equal(a, c) {
			t.Errorf("%s: the same for another seed", name)
		}
		sum, slowest := 0.0, math.Inf(1)
		for _, p := range a.Points {
			sum, slowest = sum+p.Factor, min(slowest, p.Factor)
			if !(p.Factor > 0 && p.Factor <= 1) {
				t.Fatalf("%s: factor %g", name, p.Factor)
			}
		}
		if mean := sum / float64(len(a.Points)); mean < 0.3 || mean > 0.95 || slowest > 0.5 {
			t.Errorf("%s: mean factor %.2f, slowest %.2f", name, mean, slowest)
		}
		p, until := a.At(a.Period + time.Millisecond)
		if p != a.Points[0] || until != a.Period+a.Points[1].At {
			t.Errorf("%s: does not repeat: %+v until %v", name, p, until)
		}
	}
	if _, ok := scenarios.Synthetic("5g", 1); ok {
		t.Error("a trace nobody built in")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("[[fault]]\nat=\"1s\"\ndevice=\"near\"\ndo=\"kill\""))
	topo := pair(f)
	f.Fuzz(func(_ *testing.T, data []byte) {
		s, err := scenarios.Parse("f.toml", data, topo)
		if err != nil {
			return
		}
		for from := range topo.Devices {
			s.DeviceOf(topo, from)
			for to := range topo.Devices {
				s.LinkOf(topo, from, to)
			}
		}
	})
}

func FuzzTrace(f *testing.F) {
	f.Add("time_s,factor,latency_ms\n0,1,0\n1.5,0.25,3\n", int64(5))
	f.Fuzz(func(t *testing.T, text string, at int64) {
		tr, err := scenarios.ParseTrace("t.csv", strings.NewReader(text))
		if err != nil {
			return
		}
		now := time.Duration(at & math.MaxInt64)
		if _, until := tr.At(now); until <= now && now < 50*365*24*time.Hour {
			t.Errorf("at %v until %v", now, until)
		}
	})
}
