package topologies

import (
	_ "embed"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

//go:embed catalogue.toml
var catalogueText []byte

// A Catalogued device is one of a data sheet. Each value says where it is from.
type Catalogued struct {
	Name            string   `toml:"name"`
	What            string   `toml:"what"`
	Memory          Bytes    `toml:"memory"`
	FLOPS           Rate     `toml:"flops"` // single precision, without tensor cores
	FLOPSFrom       string   `toml:"flops_source"`
	MemoryBandwidth ByteRate `toml:"memory_bandwidth"`
	BandwidthFrom   string   `toml:"memory_bandwidth_source"`
	ActivePower     Watts    `toml:"active_power"`
	PowerFrom       string   `toml:"active_power_source"`
}

// Catalogue returns the devices of data sheets.
func Catalogue() ([]Catalogued, error) {
	var file struct {
		Devices []Catalogued `toml:"device"`
	}
	err := tomlfile.Decode("catalogue.toml", catalogueText, &file)
	return file.Devices, err
}

// Device returns the device for a topology; seven eighths of its memory are usable.
func (c *Catalogued) Device() Device {
	return Device{
		Name: c.Name, Memory: c.Memory, Usable: c.Memory / 8 * 7, FLOPS: c.FLOPS,
		MemoryBandwidth: c.MemoryBandwidth, ActivePower: c.ActivePower,
	}
}

// Values are what is known of the device: name, value and source of each.
func (c *Catalogued) Values() [][3]string {
	all := [][3]string{{"computes", c.FLOPS.String(), c.FLOPSFrom}, {"reads", c.MemoryBandwidth.String(), c.BandwidthFrom}}
	if c.ActivePower > 0 {
		all = append(all, [3]string{"draws", c.ActivePower.String(), c.PowerFrom})
	}
	return all
}
