package topologies

import (
	"encoding"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// unitTexts are amounts as they are read and as they are written.
var unitTexts = []struct {
	in   string
	into encoding.TextUnmarshaler
	want any
	out  string
}{
	{"32GB", new(Bytes), Bytes(32e9), "32GB"},
	{"29GiB", new(Bytes), Bytes(29 << 30), "29GiB"},
	{" 1.5 GiB ", new(Bytes), Bytes(3 << 29), "1.5GiB"},
	{"0.1KiB", new(Bytes), Bytes(102), "102B"},
	{"1000KiB", new(Bytes), Bytes(1024000), "1024kB"},
	{"999B", new(Bytes), Bytes(999), "999B"},
	{"0B", new(Bytes), Bytes(0), "0B"},
	{"9223372036854775807B", new(Bytes), Bytes(math.MaxInt64), "9223372036854775807B"},
	{"7Kbps", new(BitRate), BitRate(7000), "7kbps"},
	{"50Mbps", new(BitRate), BitRate(50e6), "50Mbps"},
	{"1 Gbit/s", new(BitRate), BitRate(1e9), "1Gbps"},
	{"204.8GB/s", new(ByteRate), ByteRate(204.8e9), "204.8GB/s"},
	{"3.33TFLOPS", new(Rate), Rate(3.33e12), "3.33TFLOPS"},
	{"36 tflops", new(Rate), Rate(36e12), "36TFLOPS"},
	{"0.25FLOPS", new(Rate), Rate(0.25), "0.25FLOPS"},
	{"60W", new(Watts), Watts(60), "60W"},
	{"1.5kW", new(Watts), Watts(1500), "1.5kW"},
	{"2.1ms", new(Duration), Duration(2_100_000), "2.1ms"},
	{"2100us", new(Duration), Duration(2_100_000), "2.1ms"},
	{"3µs", new(Duration), Duration(3000), "3us"},
	{"90s", new(Duration), Duration(90e9), "90s"},
}

func TestUnitTexts(t *testing.T) {
	for _, c := range unitTexts {
		if err := c.into.UnmarshalText([]byte(c.in)); err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if got := value(c.into); got != c.want {
			t.Errorf("%q is %v, want %v", c.in, got, c.want)
		}
		text, err := c.into.(encoding.TextMarshaler).MarshalText()
		if err != nil || string(text) != c.out {
			t.Errorf("%q is written %q (%v), want %q", c.in, text, err, c.out)
		}
	}
}

// value returns what a pointer to an amount points to.
func value(p any) any {
	switch p := p.(type) {
	case *Bytes:
		return *p
	case *BitRate:
		return *p
	case *ByteRate:
		return *p
	case *Rate:
		return *p
	case *Watts:
		return *p
	case *Duration:
		return *p
	}
	return nil
}

func TestUnitFaults(t *testing.T) {
	for _, c := range []struct {
		in   string
		into encoding.TextUnmarshaler
		want string
	}{
		{"32", new(Bytes), `expected a size such as 29GiB, found "32": no unit, one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, PB, PiB`},
		{"-1GB", new(Bytes), `expected a size such as 29GiB, found "-1GB": negative`},
		{"", new(Bytes), `expected a size such as 29GiB, found "": not a number`},
		{"1.2.3GB", new(Bytes), `expected a size such as 29GiB, found "1.2.3GB": not a number`},
		{"1e3GB", new(Bytes), `expected a size such as 29GiB, found "1e3GB": unknown unit "e3GB", not one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, PB, PiB`},
		{"9223372036854775808B", new(Bytes), `expected a size such as 29GiB, found "9223372036854775808B": too large`},
		{"50MB/s", new(BitRate), `expected a bit rate such as 50Mbps, found "50MB/s": unknown unit "MB/s", not one of bps, kbps, Mbps, Gbps, Tbps`},
		{"50mbps", new(BitRate), `expected a bit rate such as 50Mbps, found "50mbps": unknown unit "mbps", not one of bps, kbps, Mbps, Gbps, Tbps`},
		{"NaN", new(Rate), `expected a compute rate such as 3.33TFLOPS, found "NaN": not a number`},
		{"9999999EFLOPS", new(Rate), `expected a compute rate such as 3.33TFLOPS, found "9999999EFLOPS": too large`},
		{"0.0000000001W", new(Watts), `expected a power such as 60W, found "0.0000000001W": too small`},
		{"1h", new(Duration), `expected a time such as 2.1ms, found "1h": unknown unit "h", not one of ns, us, ms, s`},
		{strings.Repeat("9", 41) + "W", new(Watts), `expected a power such as 60W, found "9999999999999999999999999999999999999999…": more than 40 digits`},
	} {
		err := c.into.UnmarshalText([]byte(c.in))
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: got %v\nwant %s", c.in, err, c.want)
		}
	}
}

func TestNoTextForWhatIsNotRead(t *testing.T) {
	for _, m := range []encoding.TextMarshaler{Bytes(-1), BitRate(-1), ByteRate(-1), Duration(-1), Rate(-1), Rate(math.NaN()), Watts(math.Inf(1)), Watts(1e-30)} {
		if text, err := m.MarshalText(); err == nil {
			t.Errorf("%#v is written %q, want an error", m, text)
		}
	}
}

func TestUnitsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Int64Range(0, math.MaxInt64), rapid.Map(rapid.IntRange(0, 9000), func(i int) int64 { return int64(i) << 30 }),
			rapid.Map(rapid.IntRange(0, 9000), func(i int) int64 { return int64(i) * 1e8 })).Draw(t, "n")
		x := rapid.OneOf(rapid.Float64Range(0, maxFloat), rapid.Float64Range(0, 1)).Draw(t, "x")
		roundTrip(t, Bytes(n), new(Bytes))
		roundTrip(t, BitRate(n), new(BitRate))
		roundTrip(t, ByteRate(n), new(ByteRate))
		roundTrip(t, Duration(n), new(Duration))
		if x < minFloat {
			x = 0
		}
		roundTrip(t, Rate(x), new(Rate))
		roundTrip(t, Watts(x), new(Watts))
	})
}

// roundTrip holds v against what is read from its text.
func roundTrip(t interface{ Fatalf(string, ...any) }, v encoding.TextMarshaler, into encoding.TextUnmarshaler) {
	text, err := v.MarshalText()
	if err == nil {
		err = into.UnmarshalText(text)
	}
	if err != nil || value(into) != any(v) {
		t.Fatalf("%#v is written %q and read %#v (%v)", v, text, value(into), err)
	}
}

func FuzzUnits(f *testing.F) {
	for _, s := range []string{"32GB", "29.5 GiB", "50Mbps", "2.1ms", "204.8GB/s", "3.33TFLOPS", "60W", "-1", "1e9B", ".5s", "0.000001us"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, into := range []encoding.TextUnmarshaler{new(Bytes), new(BitRate), new(ByteRate), new(Rate), new(Watts), new(Duration)} {
			if into.UnmarshalText([]byte(s)) != nil {
				continue
			}
			again, err := json.Marshal(into)
			if err != nil {
				t.Fatalf("%q read as %T %v is not written: %v", s, into, value(into), err)
			}
			v := value(into)
			if err := json.Unmarshal(again, into); err != nil || value(into) != v {
				t.Fatalf("%q is %v, written %s, read %v (%v)", s, v, again, value(into), err)
			}
		}
	})
}
