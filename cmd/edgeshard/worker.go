package main

import (
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/topologies"
)

// localFlag marks the worker processes a coordinator starts on its own machine.
const localFlag = "local"

// localWorker returns the command of a local worker: this very program.
func localWorker() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program to start local workers with: %w", err)
	}
	return []string{self, "worker", "--" + localFlag}, nil
}

type workerFlags struct {
	listen, memory string
	local          bool
	options        exec.WorkerOptions
	credentials    credentialFlags
	cache          cacheFlags
}

func (a *app) workerCmd() *cobra.Command {
	var w workerFlags
	cmd := &cobra.Command{
		Use: "worker --listen ADDR", Short: "Serve shards on this device",
		Example: "edgeshard worker --listen :7077 --name pi-1 --model model.gguf --cert pi-1.crt --key pi-1.key --ca ca.crt",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if w.local {
				return exec.ServeLocal(cmd.Context(), a.in, cmd.OutOrStdout(), exec.WorkerOptions{Version: version(), Log: a.logger()})
			}
			return a.serve(cmd, &w)
		},
	}
	f, o := cmd.Flags(), &w.options
	f.StringVar(&w.listen, "listen", "", "address to listen on, such as :7077")
	f.StringVar(&o.Name, "name", "", "of the device, as in topologies; default: the host's")
	f.StringVar(&o.Model, "model", "", "checkpoint to open in place of what a coordinator asks for")
	f.StringVar(&w.memory, "memory", "", "budget, such as 6GiB; default: what the plan's topology says")
	f.IntVar(&o.Threads, "threads", 0, "to compute with; 0: as many as CPUs")
	f.DurationVar(&o.Timeout, "timeout", exec.DefaultTimeout, "silence after which a peer counts as gone")
	f.StringSliceVar(&o.Coordinators, "coordinator", nil, "name in the certificate of who may command the worker; default: "+exec.CoordinatorName)
	w.credentials.register(cmd)
	w.cache.register(cmd)
	f.BoolVar(&w.local, localFlag, false, "be a local worker, told what to do on standard input")
	if err := f.MarkHidden(localFlag); err != nil {
		panic(err)
	}
	return cmd
}

// serve is the daemon of a real device.
func (a *app) serve(cmd *cobra.Command, w *workerFlags) error {
	if w.listen == "" {
		return usagef("want an address to listen on (--listen)")
	}
	o := w.options
	if w.memory != "" {
		var m topologies.Bytes
		if err := m.UnmarshalText([]byte(w.memory)); err != nil {
			return usagef("--memory: %w", err)
		}
		o.Memory = int64(m)
	}
	var err error
	if o.Credentials, err = w.credentials.load(); err != nil {
		return err
	}
	if o.Cache, err = w.cache.open(); err != nil {
		return err
	}
	if o.Name == "" {
		if o.Name, err = os.Hostname(); err != nil {
			return err
		}
	}
	o.Version, o.Insecure, o.OwnProcess, o.Log = version(), w.credentials.insecure, true, a.logger()
	l, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", w.listen)
	if err != nil {
		return err
	}
	a.printf("worker %s listens on %s", o.Name, l.Addr())
	return exec.NewWorker(o).Serve(cmd.Context(), l)
}
