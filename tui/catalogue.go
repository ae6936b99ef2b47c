package tui

import (
	_ "embed"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/topologies"
)

//go:embed catalogue.toml
var catalogueText []byte

// A catalogued device is one to add to a cluster. Each value says where it is
// from.
type catalogued struct {
	Name            string              `toml:"name"`
	What            string              `toml:"what"`
	Memory          topologies.Bytes    `toml:"memory"`
	FLOPS           topologies.Rate     `toml:"flops"`
	FLOPSFrom       string              `toml:"flops_source"`
	MemoryBandwidth topologies.ByteRate `toml:"memory_bandwidth"`
	BandwidthFrom   string              `toml:"memory_bandwidth_source"`
	ActivePower     topologies.Watts    `toml:"active_power"`
	PowerFrom       string              `toml:"active_power_source"`
}

// catalogue returns the devices of data sheets.
func catalogue() ([]catalogued, error) {
	var file struct {
		Devices []catalogued `toml:"device"`
	}
	err := tomlfile.Decode("catalogue.toml", catalogueText, &file)
	return file.Devices, err
}

func (c *catalogued) device() topologies.Device {
	return topologies.Device{
		Name: c.Name, Memory: c.Memory, Usable: c.Memory / 8 * 7, FLOPS: c.FLOPS,
		MemoryBandwidth: c.MemoryBandwidth, ActivePower: c.ActivePower,
	}
}

// values are what is known of the device: name, value and source of each.
func (c *catalogued) values() [][3]string {
	all := [][3]string{{"computes", c.FLOPS.String(), c.FLOPSFrom}, {"reads", c.MemoryBandwidth.String(), c.BandwidthFrom}}
	if c.ActivePower > 0 {
		all = append(all, [3]string{"draws", c.ActivePower.String(), c.PowerFrom})
	}
	return all
}

// sourceWidth is how wide sources are written below the catalogue.
const sourceWidth = 70

// openCatalogue offers devices to add.
func (m *Model) openCatalogue() tea.Cmd {
	all, err := catalogue()
	if err != nil {
		m.fail(err)
		return nil
	}
	items := make([]item, len(all))
	for i, c := range all {
		items[i] = item{
			name:   c.What,
			detail: fmt.Sprintf("%s, %s", c.FLOPS, c.MemoryBandwidth),
			do:     func(m *Model) tea.Cmd { return m.addDevice(c.device()) },
		}
		for _, v := range c.values() {
			for j, line := range wrap(v[2], sourceWidth-14) {
				name := ""
				if j == 0 {
					name = v[0]
				}
				items[i].more = append(items[i].more, pad(name, 9)+line)
			}
		}
	}
	m.overlay = newMenu("add a device", items)
	return nil
}

func (m *Model) addDevice(d topologies.Device) tea.Cmd {
	q, err := m.question.with(d)
	cmd := m.change("", q, err)
	if err == nil {
		m.device = len(m.question.Topology.Devices) - 1
		m.say("added " + m.question.Topology.Devices[m.device].Name + "; its links are like most: change them in the links' pane")
	}
	return cmd
}
