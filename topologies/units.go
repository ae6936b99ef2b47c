package topologies

import (
	"fmt"
	"time"
)

// Amounts are written as people write them, decimal (1 GB = 10⁹ bytes) or binary
// (1 GiB = 2³⁰ bytes). Their texts round-trip exactly.
type (
	// Bytes is an amount of memory: "32GB", "29GiB".
	Bytes int64
	// BitRate is a link's speed in bits a second: "50Mbps", "1Gbps".
	BitRate int64
	// ByteRate is a memory's speed in bytes a second: "204.8GB/s".
	ByteRate int64
	// Rate is a number of operations a second: "3.33TFLOPS".
	Rate float64
	// Watts is power: "60W".
	Watts float64
	// Duration is a time: "2.1ms".
	Duration time.Duration
)

var (
	byteUnits = quantity{what: "a size such as 29GiB", units: []unit{
		{"B", 1}, {"kB", 1e3}, {"KiB", 1 << 10}, {"MB", 1e6}, {"MiB", 1 << 20}, {"GB", 1e9},
		{"GiB", 1 << 30}, {"TB", 1e12}, {"TiB", 1 << 40}, {"PB", 1e15}, {"PiB", 1 << 50},
	}}
	bitRateUnits = quantity{what: "a bit rate such as 50Mbps", units: []unit{
		{"bps", 1}, {"kbps", 1e3}, {"Mbps", 1e6}, {"Gbps", 1e9}, {"Tbps", 1e12},
	}, aliases: map[string]string{"bit/s": "bps", "kbit/s": "kbps", "Mbit/s": "Mbps", "Gbit/s": "Gbps", "Tbit/s": "Tbps"}}
	byteRateUnits = quantity{what: "a byte rate such as 204.8GB/s", units: []unit{
		{"B/s", 1}, {"kB/s", 1e3}, {"KiB/s", 1 << 10}, {"MB/s", 1e6}, {"MiB/s", 1 << 20}, {"GB/s", 1e9},
		{"GiB/s", 1 << 30}, {"TB/s", 1e12}, {"TiB/s", 1 << 40}, {"PB/s", 1e15},
	}}
	rateUnits = quantity{what: "a compute rate such as 3.33TFLOPS", units: []unit{
		{"FLOPS", 1}, {"kFLOPS", 1e3}, {"MFLOPS", 1e6}, {"GFLOPS", 1e9}, {"TFLOPS", 1e12}, {"PFLOPS", 1e15}, {"EFLOPS", 1e18},
	}}
	wattUnits     = quantity{what: "a power such as 60W", units: []unit{{"W", 1}, {"kW", 1e3}, {"MW", 1e6}}}
	durationUnits = quantity{what: "a time such as 2.1ms", units: []unit{
		{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9},
	}, aliases: map[string]string{"µs": "us", "μs": "us"}}
)

// ParseBytes reads a size, such as "29GiB".
func ParseBytes(s string) (Bytes, error) { n, err := byteUnits.parseInt(s); return Bytes(n), err }

// ParseBitRate reads a link's speed, such as "50Mbps".
func ParseBitRate(s string) (BitRate, error) {
	n, err := bitRateUnits.parseInt(s)
	return BitRate(n), err
}

// ParseByteRate reads a memory's speed, such as "204.8GB/s".
func ParseByteRate(s string) (ByteRate, error) {
	n, err := byteRateUnits.parseInt(s)
	return ByteRate(n), err
}

// ParseRate reads a compute rate, such as "3.33TFLOPS".
func ParseRate(s string) (Rate, error) { x, err := rateUnits.parseFloat(s); return Rate(x), err }

// ParseWatts reads a power, such as "60W".
func ParseWatts(s string) (Watts, error) { x, err := wattUnits.parseFloat(s); return Watts(x), err }

// ParseDuration reads a time, such as "2.1ms".
func ParseDuration(s string) (Duration, error) {
	n, err := durationUnits.parseInt(s)
	return Duration(n), err
}

func (b Bytes) String() string    { return byteUnits.formatInt(int64(b)) }
func (b BitRate) String() string  { return bitRateUnits.formatInt(int64(b)) }
func (b ByteRate) String() string { return byteRateUnits.formatInt(int64(b)) }
func (r Rate) String() string     { return rateUnits.formatFloat(float64(r)) }
func (w Watts) String() string    { return wattUnits.formatFloat(float64(w)) }
func (d Duration) String() string { return durationUnits.formatInt(int64(d)) }

// MarshalText writes the size in the unit that gives the shortest exact text.
func (b Bytes) MarshalText() ([]byte, error) { return marshal(b, b >= 0) }

// MarshalText writes the rate in the unit that gives the shortest exact text.
func (b BitRate) MarshalText() ([]byte, error) { return marshal(b, b >= 0) }

// MarshalText writes the rate in the unit that gives the shortest exact text.
func (b ByteRate) MarshalText() ([]byte, error) { return marshal(b, b >= 0) }

// MarshalText writes the rate in the largest unit it fills.
func (r Rate) MarshalText() ([]byte, error) { return marshal(r, inRange(float64(r))) }

// MarshalText writes the power in the largest unit it fills.
func (w Watts) MarshalText() ([]byte, error) { return marshal(w, inRange(float64(w))) }

// MarshalText writes the time in the unit that gives the shortest exact text.
func (d Duration) MarshalText() ([]byte, error) { return marshal(d, d >= 0) }

// marshal refuses what the parsers would.
func marshal(s fmt.Stringer, ok bool) ([]byte, error) {
	if !ok {
		return nil, fmt.Errorf("%s cannot be written: expected 0 or an amount that can be read again", s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads a size, such as "29GiB".
func (b *Bytes) UnmarshalText(text []byte) (err error) { *b, err = ParseBytes(string(text)); return }

// UnmarshalText reads a link's speed, such as "50Mbps".
func (b *BitRate) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBitRate(string(text))
	return
}

// UnmarshalText reads a memory's speed, such as "204.8GB/s".
func (b *ByteRate) UnmarshalText(text []byte) (err error) {
	*b, err = ParseByteRate(string(text))
	return
}

// UnmarshalText reads a compute rate, such as "3.33TFLOPS".
func (r *Rate) UnmarshalText(text []byte) (err error) { *r, err = ParseRate(string(text)); return }

// UnmarshalText reads a power, such as "60W".
func (w *Watts) UnmarshalText(text []byte) (err error) { *w, err = ParseWatts(string(text)); return }

// UnmarshalText reads a time, such as "2.1ms".
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return
}
