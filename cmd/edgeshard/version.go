package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/exec/kernel"
)

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}

func (a *app) versionCmd() *cobra.Command {
	var kernels bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if kernels {
				return a.versionKernels()
			}
			if a.format == "json" {
				return a.json(map[string]string{"version": version()})
			}
			a.printf("%s", version())
			return nil
		},
	}
	cmd.Flags().BoolVar(&kernels, "kernels", false, "tell which kernels this CPU can run, and which it would")
	return cmd
}

func (a *app) versionKernels() error {
	chosen, err := kernel.Default()
	if err != nil {
		return err
	}
	var names []string
	for _, p := range kernel.Paths() {
		names = append(names, p.Name())
	}
	if a.format == "json" {
		return a.json(map[string]any{"version": version(), "kernels": names, "kernel": chosen.Name()})
	}
	for _, name := range names {
		mark := " "
		if name == chosen.Name() {
			mark = "*"
		}
		a.printf("%s %s", mark, name)
	}
	return nil
}
