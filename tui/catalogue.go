package tui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard/topologies"
)

// sourceWidth is how wide sources are written below the catalogue.
const sourceWidth = 70

// openCatalogue offers devices to add.
func (m *Model) openCatalogue() tea.Cmd {
	all, err := topologies.Catalogue()
	if err != nil {
		m.fail(err)
		return nil
	}
	items := make([]item, len(all))
	for i, c := range all {
		items[i] = item{
			name:   c.What,
			detail: fmt.Sprintf("%s, %s", c.FLOPS, c.MemoryBandwidth),
			do:     func(m *Model) tea.Cmd { return m.addDevice(c.Device()) },
		}
		for _, v := range c.Values() {
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
