package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/topologies"
)

// linkFlags say how links are measured.
type linkFlags struct {
	topology, name, out string
	budget              time.Duration
	timeout             time.Duration
	credentials         credentialFlags
}

func (a *app) profileLinksCmd() *cobra.Command {
	var f linkFlags
	cmd := &cobra.Command{
		Use: "links -t TOPOLOGY", Short: "Measure every link between a topology's workers",
		Long: "Measure latency, bandwidth and jitter of every directed link between the workers of a topology, through\n" +
			"the transport that runs use. Devices without an address are local workers that imitate their links.",
		Example: "edgeshard profile links -t attic.toml --cert me.crt --key me.key --ca ca.crt -o attic-links.toml",
		Args:    usageArgs(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.profileLinks(cmd.Context(), &f) },
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.topology, "topology", "t", "", "a built-in name or a TOML file")
	fl.DurationVar(&f.budget, "budget", 0, "the longest it may take; default: a minute for each device")
	fl.DurationVar(&f.timeout, "timeout", exec.DefaultTimeout, "silence after which a worker counts as dead")
	fl.StringVar(&f.name, "name", "", "of this machine, in place of its host name")
	fl.StringVarP(&f.out, "output", "o", "", "file to write; without it the profile goes to standard output")
	f.credentials.register(cmd)
	choices(cmd, "topology", topologies.Names()...)
	return cmd
}

func (a *app) profileLinks(ctx context.Context, f *linkFlags) error {
	if f.topology == "" {
		return usagef("want a topology (-t): see edgeshard topology list")
	}
	t, err := topologies.Load(f.topology)
	if err != nil {
		return err
	}
	r, err := a.demoRunner(nil)
	if err != nil {
		return err
	}
	if r.Credentials, err = f.credentials.load(); err != nil {
		return err
	}
	r.Insecure, r.Timeout = f.credentials.insecure, f.timeout
	if f.budget <= 0 {
		f.budget = time.Duration(len(t.Devices)) * time.Minute
	}
	p, err := r.MeasureLinks(ctx, t, f.budget, func(part float64) { a.progress("measuring links: %.0f %%", 100*part) })
	a.clear()
	if err != nil {
		return err
	}
	p.Version = version()
	if f.name != "" {
		p.Host = f.name
	}
	return a.writeLinks(p, f.out)
}

func (a *app) writeLinks(p *edgeshard.LinkProfile, file string) error {
	p.Name = measuredName(file, p.Name)
	if show, err := a.keepMeasured(p, file); !show {
		return err
	}
	var rows [][]string
	for _, l := range p.Links {
		rows = append(rows, []string{fmt.Sprintf("%s → %s", l.From, l.To), microseconds(l.Latency), digits(float64(l.Bandwidth)/1e6) + " Mbps", microseconds(l.Jitter), microseconds(l.Uncertainty)})
	}
	a.table([]string{"link", "latency", "bandwidth", "jitter", "uncertain by"}, rows)
	a.printf("\n  the software takes %s and %s ns a byte of every message besides", p.Hop.Round(time.Microsecond), digits(p.HopByte))
	a.printf("  wrote %s: a topology refers to it with measured_links = %q", file, file)
	return nil
}

// microseconds writes a time to the microsecond.
func microseconds(d topologies.Duration) string {
	return time.Duration(d).Round(time.Microsecond).String()
}
