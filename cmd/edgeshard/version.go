package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"

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

// exactVersion tells apart programs that may compute different things: two builds
// of one clean commit are the same where Go, its target and the modules are, on
// whichever machine they were built; any other program is known by its bytes.
func exactVersion() (string, error) {
	h := sha256.New()
	if info, ok := debug.ReadBuildInfo(); ok && clean(info) {
		_, _ = fmt.Fprintln(h, info.GoVersion, info.Main.Path)
		for _, d := range info.Deps {
			_, _ = fmt.Fprintln(h, d.Path, d.Version, d.Sum, d.Replace)
		}
		for _, s := range info.Settings {
			if slices.Contains(telling, s.Key) {
				_, _ = fmt.Fprintln(h, s.Key, s.Value)
			}
		}
	} else if err := hashProgram(h); err != nil {
		return "", err
	}
	return version() + "+" + hex.EncodeToString(h.Sum(nil))[:8], nil
}

// telling are the settings of a build on which what it computes may depend.
var telling = []string{"vcs.revision", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "-compiler", "-tags"}

// clean tells whether a program was built from a commit without changes on top.
func clean(info *debug.BuildInfo) bool {
	for _, s := range info.Settings {
		if s.Key == "vcs.modified" {
			return s.Value == "false"
		}
	}
	return false
}

func hashProgram(h io.Writer) error {
	file, err := os.Executable()
	if err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(h, f)
	return err
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
