package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/scenarios"
)

// recoveryFlags say what a run on workers does when something fails.
type recoveryFlags struct {
	never, adapt    bool
	rejoin          time.Duration
	journal, resume string
}

func (r *recoveryFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&r.never, "no-recovery", false, "with exec: end the run when a worker or a link fails")
	f.BoolVar(&r.adapt, "adapt", false, "with exec: change the plan when workers or links are, for long enough, slower or faster than it reckons with")
	f.DurationVar(&r.rejoin, "rejoin", 0, "with exec: how long to wait for a remote source that is lost")
	f.StringVar(&r.journal, "journal", "", "with exec: keep the run's tokens in this folder, so that it can be resumed")
	f.StringVar(&r.resume, "resume", "", "with exec: go on with the run of the journal in this folder")
}

// check reports flags that do not fit the backend or each other.
func (r *recoveryFlags) check(backend string) error {
	switch {
	case backend == "exec":
	case r.never || r.adapt || r.rejoin > 0 || r.journal != "" || r.resume != "":
		return usagef("--no-recovery, --adapt, --rejoin, --journal and --resume need --backend exec")
	}
	if r.journal != "" && r.resume != "" {
		return usagef("want --journal or --resume, not both: a resumed run goes on in its journal")
	}
	return nil
}

// apply sets the options of a run on workers.
func (r *recoveryFlags) apply(o *exec.Options) {
	o.Adapt, o.Rejoin = r.adapt, r.rejoin
	if !r.never {
		o.Replan = replan
	}
}

// withJournal runs a plan with a journal, if one is wanted.
func (r *recoveryFlags) withJournal(p *edgeshard.Plan, o *exec.Options, run func() error) (err error) {
	if r.journal != "" {
		if o.Journal, err = exec.CreateJournal(r.journal, p); err != nil {
			return err
		}
	}
	if o.Journal == nil {
		return run()
	}
	err = run()
	if err != nil {
		dir := r.journal + r.resume
		err = &resumableError{err: err, dir: dir}
	}
	return errors.Join(err, o.Journal.Close())
}

// A resumableError ends a run that can go on from its journal.
type resumableError struct {
	err error
	dir string
}

func (e *resumableError) Error() string {
	return e.err.Error() + "; what was generated is kept: go on with edgeshard run --backend exec --resume " + e.dir
}

func (e *resumableError) Unwrap() error { return e.err }

// resumed returns the plan of the journal that a run goes on with.
func (r *recoveryFlags) resumed(in *inputs, args []string, runner edgeshard.Runner) (*edgeshard.Plan, error) {
	if len(args) > 0 || in.topology != "" || in.model != "" {
		return nil, usagef("want a plan or --resume, not both: the journal has its plan")
	}
	j, p, err := exec.OpenJournal(r.resume)
	if err != nil {
		return nil, err
	}
	runner.(*execRunner).Journal = j
	return p, nil
}

// obeyRecovery follows what the scenario says of recovery, where it has faults;
// its detection time unless a timeout is given.
func (r *execRunner) obeyRecovery() {
	if len(r.Scenario.Faults) > 0 && r.Scenario.Recovery.Policy != scenarios.Replan {
		r.Replan = nil
	}
	if d := r.Scenario.Recovery.Detect; d > 0 && r.Timeout == exec.DefaultTimeout {
		r.Timeout = time.Duration(d)
	}
}
