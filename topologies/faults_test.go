package topologies

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/internal/golden"
)

const (
	deviceA = "[[device]]\nname = \"a\"\nmemory = \"8GB\"\nflops = \"1TFLOPS\"\nmemory_bandwidth = \"1GB/s\"\n"
	deviceB = "[[device]]\nname = \"b\"\nlike = \"a\"\n"
	oneLink = "[[link]]\nbandwidth = \"1Gbps\"\nlatency = \"1ms\"\n"
)

// faulty are files and all the lines of their errors, without the file's name.
var faulty = map[string]struct{ in, want string }{
	"syntax":             {"name = \"x\"\nsource = \n", `2: unexpected character U+000A at start of value`},
	"unclosed text":      {"name = \"x", `1: unterminated basic string`},
	"same key twice":     {deviceA + `name = "b"`, `6: device.name: Key 'device.name' has already been defined.`},
	"no devices":         {"name = \"x\"\n", `f: device: expected at least one device, found none`},
	"misspelt key":       {deviceA + "addrss = \"h:1\"\n", `6: device a: addrss: unknown key: did you mean address?`},
	"unknown key":        {"hello = 1\n" + deviceA, `1: hello: unknown key: expected one of cloud, description, device, kind, link, measured_links, medium, name, segment, source`},
	"misspelt table":     {deviceA + "[[devcie]]\nname = \"b\"\n", `6: devcie: unknown key: did you mean device?`},
	"negative bandwidth": {deviceA + deviceB + "[[link]]\nlatency = \"0s\"\nbandwidth = \"-5Mbps\"\n", `11: link 1: bandwidth: expected a bit rate such as 50Mbps, found "-5Mbps": negative`},
	"no unit":            {strings.Replace(deviceA, `"8GB"`, "8", 1), `3: device a: memory: expected a size such as 29GiB, found "8": no unit, one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, PB, PiB`},
	"a table for a size": {strings.Replace(deviceA, `"8GB"`, "{x = 1}", 1), `3: device a: memory: expected a size such as 29GiB, found "a table": not a number`},
	"a number for text":  {deviceA + "profile = 7\n", `6: device a: profile: expected a text, found 7`},
	"text for a number":  {deviceA + "slowdown = \"2\"\n", `6: device a: slowdown: expected a number, found "2"`},
	"nan":                {deviceA + "slowdown = nan\n", `6: device a: slowdown: expected more than 0 and at most 1e+06, found NaN`},
	"no memory at all":   {strings.Replace(deviceA, "8GB", "0GB", 1), `3: device a: memory: expected more than 0B, found 0B`},
	"missing keys":       {"[[device]]\nname = \"a\"\n", "1: device a: flops: expected a compute rate such as 3.33TFLOPS, or a profile, found neither\n1: device a: memory: expected a size such as 32GB, found none\n1: device a: memory_bandwidth: expected a byte rate such as 204.8GB/s, or a profile, found neither"},
	"nameless":           {strings.Replace(deviceA, `name = "a"`, "", 1) + "[[device]]\nlike = \"a\"\nname = \"a b\"\n", "1: device 1: name: expected a name, found none\n7: device a b: like: expected a kind or a device, found \"a\"\n8: device a b: name: expected letters, digits, points, dashes and underscores, at most 64, found \"a b\""},
	"usable":             {deviceA + "usable = \"8GiB\"\n", `6: device a: usable: expected at most the memory, 8GB, found 8GiB`},
	"overhead":           {deviceA + "usable = \"1GB\"\noverhead = \"1GB\"\n", `7: device a: overhead: expected 0B or more and less than the usable memory, 1GB, found 1GB`},
	"powers":             {deviceA + "idle_power = \"2W\"\nactive_power = \"1W\"\n", `6: device a: idle_power: expected at most the active power, 1W, found 2W`},
	"same name":          {deviceA + deviceA, `7: device a: name: expected a name of its own, found that of an earlier device`},
	"same counted name":  {deviceA + "count = 2\n[[device]]\nname = \"a-2\"\nlike = \"a\"\n" + oneLink, `8: device a-2: name: expected names of their own, found a-2 twice`},
	"a class and a name": {deviceA + deviceB + "class = \"a\"\n" + oneLink, `f: device b: class: expected a word that is no device's name, found "a"`},
	"kind and name":      {"[kind.a]\n" + deviceA, `3: device a: name: expected a word that is no kind's name, found "a"`},
	"count of none":      {deviceA + "count = 0\n", `6: device a: count: expected 1 to 10000, found 0`},
	"negative count":     {deviceA + "count = -1\n", `6: device a: count: expected 1 to 10000, found -1`},
	"count of many":      {deviceA + "count = 1000000000\n", `6: device a: count: expected 1 to 10000, found 1000000000`},
	"too many in all":    {deviceA + "count = 9999\n" + deviceB + "count = 2\n" + oneLink, `10: device b: count: expected at most 10000 devices in all, found more`},
	"address and count":  {deviceA + "count = 2\naddress = \"h:1\"\n" + oneLink, `7: device a: address: expected none beside a count, found "h:1": give each of these devices an entry of its own`},
	"address":            {deviceA + "address = \"host\"\n", `6: device a: address: expected host:port, found "host"`},
	"port":               {deviceA + "address = \"host:70000\"\n", `6: device a: address: expected host:port, found "host:70000"`},
	"unknown source":     {"source = \"aa\"\n" + deviceA, `1: source: expected a device's name, found "aa": did you mean a?`},
	"a class as source":  {"source = \"a\"\n" + deviceA + "count = 3\n" + oneLink, `1: source: expected a device's name, found "a": did you mean a-1?`},
	"unknown cloud":      {"cloud = \"zebra\"\n" + deviceA, `1: cloud: expected a device's name, found "zebra"`},
	"unknown device":     {deviceA + deviceB + oneLink + "[[link]]\nbetween = [\"a\", \"c\"]\nbandwidth = \"1Gbps\"\nlatency = \"1ms\"\n", `13: link between a and c: between: expected a device, a class or *, found "c": did you mean a?`},
	"unknown from":       {deviceA + deviceB + oneLink + "[[link]]\nfrom = \"laptop\"\nto = \"b\"\nbandwidth = \"1Gbps\"\nlatency = \"1ms\"\n", `13: link from laptop to b: from: expected a device, a class or *, found "laptop"`},
	"from alone":         {deviceA + deviceB + oneLink + "[[link]]\nfrom = \"a\"\nbandwidth = \"1Gbps\"\nlatency = \"1ms\"\n", `12: link from a to ?: to: expected a device, a class or *, found none`},
	"three ends":         {deviceA + deviceB + oneLink + "[[link]]\nbetween = [\"a\", \"b\", \"a\"]\nbandwidth = \"1Gbps\"\nlatency = \"1ms\"\n", `13: link 2: between: expected two ends, found 3`},
	"both forms":         {deviceA + deviceB + oneLink + "[[link]]\nbetween = [\"a\", \"b\"]\nfrom = \"a\"\nto = \"b\"\nbandwidth = \"1Gbps\"\nlatency = \"1ms\"\n", `13: link from a to b: between: expected either between, or from and to, found both`},
	"link to itself":     {deviceA + deviceB + oneLink + "[[link]]\nbetween = [\"a\", \"a\"]\nbandwidth = \"1Gbps\"\nlatency = \"1ms\"\n", `13: link between a and a: between: expected two devices, found a twice`},
	"ends of numbers":    {deviceA + deviceB + oneLink + "[[link]]\nbetween = [1, 2]\nbandwidth = \"1Gbps\"\nlatency = \"1ms\"\n", `13: link 2: between: expected an array of texts, found an array`},
	"bare link":          {deviceA + deviceB + "[[link]]\n", "9: link 1: bandwidth: expected a bit rate such as 50Mbps, found none\n9: link 1: latency: expected a time such as 2.1ms, found none"},
	"long latency":       {deviceA + deviceB + "[[link]]\nbandwidth = \"1bps\"\nlatency = \"3601s\"\n", `11: link 1: latency: expected 0s to 3600s, found 3601s`},
	"missing link":       {deviceA + deviceB, `1: link: expected a link for every pair of devices, found none from a to b (2 pairs lack one)`},
	"one way":            {deviceA + deviceB + "[[link]]\nfrom = \"a\"\nto = \"b\"\nbandwidth = \"1bps\"\nlatency = \"1s\"\n", `6: link: expected a link for every pair of devices, found none from b to a`},
	"unknown kind":       {"[kind.server]\n" + deviceA + "[[device]]\nname = \"b\"\nlike = \"sever\"\n" + oneLink, `9: device b: like: expected a kind or a device, found "sever": did you mean server?`},
	"unknown medium":     {deviceA + deviceB + "[[link]]\nlike = \"wire\"\n", `10: link 1: like: expected a medium, found "wire"`},
	"cycle of kinds":     {"[kind.x]\nlike = \"y\"\n[kind.y]\nlike = \"z\"\n[kind.z]\nlike = \"x\"\n" + deviceA + "like = \"y\"\n", `2: kind x: like: expected no cycle of defaults, found kind x → kind y → kind z → kind x`},
	"like itself":        {deviceA + "like = \"a\"\n", `6: device a: like: expected no cycle of defaults, found device a → device a`},
	"cycle of media":     {deviceA + deviceB + "[medium.m]\nlike = \"m\"\n[[link]]\nlike = \"m\"\n", `10: medium m: like: expected no cycle of defaults, found medium m → medium m`},
	"name in a kind":     {"[kind.k]\nname = \"q\"\ncount = 3\n" + deviceA, "2: kind k: name: expected in the entry itself, found in a template\n3: kind k: count: expected in the entry itself, found in a template"},
	"kind of text":       {"kind = \"k\"\n" + deviceA, `1: kind: expected [kind.NAME] tables, found a text`},
	"a device of text":   {"device = [\"k\"]\n", "f: device: expected at least one device, found none\n1: device: expected [[device]] tables, found a text"},
	"devices by name":    {"[device.a]\nmemory = \"8GB\"\n", "f: device: expected at least one device, found none\n1: device: expected [[device]] tables, found a table"},
	"nested deep":        {"name = " + strings.Repeat("[", 17) + strings.Repeat("]", 17), `1: expected tables and arrays nested at most 16 deep, found more`},
	"nested without end": {"name = " + strings.Repeat("{a=", 1<<18), `1: arrays and inline tables are nested more than the maximum of 10000 levels deep`},
	"nested in tables":   {"[" + strings.Repeat("a.", 99) + "a]\n", `1: expected tables and arrays nested at most 16 deep, found more`},
}

func TestFaults(t *testing.T) {
	for name, c := range faulty {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			_, err := Parse("f", []byte(c.in))
			if err == nil {
				t.Fatalf("no error in\n%s", c.in)
			}
			got := strings.ReplaceAll(err.Error(), "\nf:", "\n")
			got = strings.ReplaceAll(strings.TrimPrefix(got, "f:"), "\n ", "\nf: ")
			if strings.HasPrefix(got, " ") {
				got = "f:" + got
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\nof\n%s", diff, c.in)
			}
		})
	}
}

// largest are the largest files of one kind of entry or fault.
func largest() map[string]string {
	fill := func(head, each string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; ; i++ {
			s := strings.NewReplacer("N1", fmt.Sprint(i+1), "N", fmt.Sprint(i)).Replace(each)
			if b.Len()+len(s) > 1<<16 {
				return b.String()
			}
			b.WriteString(s)
		}
	}
	return map[string]string{
		"empty devices": fill("", "[[device]]\n"),
		"unknown kinds": fill("", "[kind.kN]\nlike = \"qN\"\n"),
		"one chain":     fill("", "[kind.kN]\nlike = \"kN1\"\n"),
		"empty links":   fill(deviceA+deviceB, "[[link]]\n"),
		"unknown ends":  fill(deviceA, "[[link]]\nbetween = [\"eN\", \"fN\"]\nbandwidth = \"1bps\"\nlatency = \"0s\"\n"),
		"unknown keys":  fill(deviceA, "keyN = 1\n"),
	}
}

// TestLargeFiles: the errors of the largest files stay few and short.
func TestLargeFiles(t *testing.T) {
	for name, in := range largest() {
		_, err := Parse("f", []byte(in))
		var faults *Error
		if !errors.As(err, &faults) || len(faults.Faults) > 1000 || len(err.Error()) > 1<<20 {
			t.Errorf("%s: an error of type %T with %d bytes", name, err, len(fmt.Sprint(err)))
		}
	}
}

// BenchmarkLargeFiles reads the largest files.
func BenchmarkLargeFiles(b *testing.B) {
	for name, in := range largest() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				_, _ = Parse("f", []byte(in))
			}
		})
	}
}

// TestEveryFaultInOnePass has faults of each part of a file, out of order.
func TestEveryFaultInOnePass(t *testing.T) {
	_, err := Parse("bad.toml", []byte(`source = "nobody"
[kind.k]
memroy = "32GB"
flops = "-3GFLOPS"
[[link]]
between = ["agx-1", "gpu-7"]
bandwidth = "1MBps"
latncy = "2.1ms"
[[device]]
name = "agx"
count = 3
like = "k"
memory_bandwidth = "1GB/s"
[[device]]
name = "gpu"
like = "k"
memory = "1GB"
usable = "2GB"
`))
	var faults *Error
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	golden.Match(t, "every-fault.golden", err.Error()+"\n")
	last := 0
	for _, f := range faults.Faults {
		if f.Line < last {
			t.Errorf("line %d comes after %d", f.Line, last)
		}
		last = f.Line
	}
}

func TestJSONFaults(t *testing.T) {
	const device = `{"name":"a","memory":"1B","usable":"1B","flops":"1FLOPS","memory_bandwidth":"1B/s"}`
	for _, c := range []struct{ in, want string }{
		{`{"name":"x","devices":[` + device + `],"sauce":"a"}`, `topology: json: unknown field "sauce"`},
		{`{"name":"x","devices":[{"name":"a","colour":1}]}`, `topology: json: unknown field "colour"`},
		{`{"name":"x","devices":[]}`, `topology x: device: expected at least one device, found none`},
		{`{"name":"x","devices":[` + strings.Replace(device, `"1B",`, `"32",`, 1) + `]}`, `topology: expected a size such as 29GiB, found "32": no unit, one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, PB, PiB`},
		{`{"name":"x","source":"b","devices":[` + device + `]}`, `topology x: source: expected a device's name, found "b": did you mean a?`},
		{`{"name":"x","devices":[` + strings.Replace(device, `{`, `{"count":1000000000,`, 1) + `]}`, `topology x: device a: count: expected 1 to 10000, found 1000000000`},
		{`{"name":"x","devices":[` + strings.Replace(device, `{`, `{"count":2,`, 1) + `]}`, `topology x: link: expected a link for every pair of devices, found none from a-1 to a-2 (2 pairs lack one)`},
		{`{"name":"x","devices":[` + device + `],"links":[{"bandwidth":"0bps","latency":"0ns"}]}`, `topology x: link 1: bandwidth: expected a bit rate such as 50Mbps, found none`},
	} {
		var top Topology
		err := json.Unmarshal([]byte(c.in), &top)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v\nwant %s", c.in, err, c.want)
		}
		if top.Devices != nil {
			t.Errorf("%s: half applied", c.in)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	devices := []Device{{Name: "a", Memory: 1, FLOPS: 1, MemoryBandwidth: 1}, {Name: "b", Memory: -1, FLOPS: 1, MemoryBandwidth: 1}}
	_, err := New("t", devices, 2, nil)
	if want := "topology t: source: expected a device's index, 0 to 1, found 2"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = New("t", devices, 0, func(from, _ int) Link { return Link{Bandwidth: BitRate(-from)} })
	want := "topology t: device b: memory: expected more than 0B, found -1B\ntopology t: link 1: bandwidth: expected a bit rate such as 50Mbps, found none\ntopology t: link from b to a: bandwidth: expected more than 0bps, found -1bps"
	if fmt.Sprint(err) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte(deviceA + deviceB + oneLink))
	f.Add([]byte("device = [{name = \"a\"}, 3]\nkind = {k = {like = \"k\"}}\nmedium.m.like = \"m\"\nlink = [[]]\n"))
	for _, name := range Names() {
		data, _ := Builtin(name)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		top, warnings, err := check("fuzz.toml", data)
		if err != nil {
			var faults *Error
			if !errors.As(err, &faults) || len(faults.Faults) == 0 {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for _, w := range warnings {
			if w.Text == "" {
				t.Fatalf("empty warning %+v", w)
			}
		}
		jsonRoundTrip(t, top)
	})
}

func FuzzTopologyJSON(f *testing.F) {
	for _, name := range Names() {
		top, err := Load(name)
		if err != nil {
			f.Fatal(err)
		}
		data, err := json.Marshal(top)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	data, err := json.Marshal(Random(3, 9))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var top Topology
		if json.Unmarshal(data, &top) != nil || len(top.Devices) > 200 {
			return
		}
		jsonRoundTrip(t, &top)
	})
}
