package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/topologies"
)

func (a *app) topologyCmd() *cobra.Command {
	return group("topology", "List, show and check topologies", a.topologyListCmd(), a.topologyShowCmd(), a.topologyCheckCmd())
}

func (a *app) topologyListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the built-in topologies", Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			type entry struct {
				Name        string `json:"name"`
				Devices     int    `json:"devices"`
				Description string `json:"description"`
			}
			var entries []entry
			var rows [][]string
			for _, name := range topologies.Names() {
				t, err := topologies.Load(name)
				if err != nil {
					return err
				}
				entries = append(entries, entry{name, len(t.Devices), t.Description})
				rows = append(rows, []string{name, fmt.Sprint(len(t.Devices)), t.Description})
			}
			if a.format == "json" {
				return a.json(entries)
			}
			a.table([]string{"topology", "devices", "what it is"}, rows)
			return nil
		},
	}
}

func (a *app) topologyShowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "show TOPOLOGY", Short: "Show a topology's devices and links", Args: usageArgs(cobra.ExactArgs(1)),
		ValidArgs: topologies.Names(),
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := topologies.Load(args[0])
			if err != nil {
				return err
			}
			if a.format == "json" {
				return a.json(t)
			}
			a.showTopology(t)
			return nil
		},
	}
}

// showTopology draws the devices and the links between them.
func (a *app) showTopology(t *topologies.Topology) {
	a.title("%s", t.Name)
	if t.Description != "" {
		a.printf("  %s", faintStyle.Render(t.Description))
	}
	var rows [][]string
	for i := range t.Devices {
		d := &t.Devices[i]
		speed := "by profile " + d.Profile
		if d.Profile == "" {
			speed = text(d.FLOPS) + ", " + text(d.MemoryBandwidth)
		}
		if d.Slowdown > 1 {
			speed += fmt.Sprintf(", %g× slower", d.Slowdown)
		}
		rows = append(rows, []string{d.Name, role(t, i), text(d.Usable), speed})
	}
	a.table([]string{"device", "", "memory", "speed"}, rows)
	if len(t.Devices) <= 8 {
		a.linkMatrix(t)
	}
}

func role(t *topologies.Topology, i int) string {
	switch i {
	case t.Source:
		return "source"
	case t.Cloud:
		return "cloud"
	}
	return ""
}

// linkMatrix writes the link from each device (row) to each other (column).
func (a *app) linkMatrix(t *topologies.Topology) {
	headers := []string{"link from ↓ to →"}
	var rows [][]string
	for i := range t.Devices {
		headers = append(headers, t.Devices[i].Name)
		row := []string{t.Devices[i].Name}
		for j := range t.Devices {
			cell := "·"
			if i != j {
				cell = linkText(t.Link(i, j))
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	a.printf("")
	a.table(headers, rows)
}

func (a *app) topologyCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE...", Short: "Find every fault of topology files, with line numbers", Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			failed := 0
			for _, ref := range args {
				t, warnings, err := topologies.Check(ref)
				if err != nil {
					failed++
					a.printf("%s", err)
					continue
				}
				for _, err := range edgeshard.CheckProfiles(t, filepath.Dir(ref)) {
					warnings = append(warnings, fmt.Sprintf("%s: %v", ref, err))
				}
				for _, w := range warnings {
					a.printf("%s", w)
				}
				a.printf("%s: %s, %d devices, source %s", ref, goodStyle.Render("fine"), len(t.Devices), t.Devices[t.Source].Name)
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d topologies have faults", failed, len(args))
			}
			return nil
		},
	}
}
