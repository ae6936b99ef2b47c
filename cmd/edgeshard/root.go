package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"charm.land/fang/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/wholefile"
	"github.com/edgeshard/edgeshard/solver"
)

// Exit codes, a contract with scripts.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitInfeasible
)

// app is what every subcommand shares.
type app struct {
	in       io.Reader
	out, err io.Writer // out downsamples colour to what the terminal shows, none in a pipe
	tty      bool      // out is a terminal
	format   string    // text or json
	verbose  bool

	progressing bool // a line of progress is shown
}

func run(ctx context.Context, args []string, in io.Reader, stdout, stderr *os.File) int {
	a := &app{in: in, out: colorprofile.NewWriter(stdout, os.Environ()), err: colorprofile.NewWriter(stderr, os.Environ()), tty: isTerminal(stdout)}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := fang.Execute(ctx, root, fang.WithVersion(version()), fang.WithErrorHandler(func(io.Writer, fang.Styles, error) {}))
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	_, _ = fmt.Fprintf(a.err, "%s %s\n", errorStyle.Render("edgeshard:"), err)
	return exitCode(err)
}

func exitCode(err error) int {
	var usage *usageError
	var infeasible *solver.Infeasible
	var oom *edgeshard.OutOfMemory
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &infeasible), errors.As(err, &oom):
		return exitInfeasible
	}
	return exitFailed
}

// A usageError is a mistake in the command line itself.
type usageError struct{ err error }

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "edgeshard",
		Short: "Split Llama 2 over unequal devices: plan, simulate, run for real",
		Long: "edgeshard splits Llama 2 into shards over unequal edge devices and a cloud server.\n" +
			"One plan goes to a simulator and, by one flag, to real workers; the two reports stand side by side.",
		Args:          usageArgs(cobra.NoArgs),
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if a.format != "text" && a.format != "json" {
				return usagef("--format is %q: want text or json", a.format)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&a.format, "format", "text", "output for people (text) or scripts (json)")
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "log what happens to standard error")
	choices(root, "format", "text", "json")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(a.demoCmd(), a.planCmd(), a.runCmd(), a.compareCmd(), a.validateCmd(), a.serveCmd(), a.workerCmd(), a.clusterCmd(), a.profileCmd(), a.certCmd(), a.cacheCmd(), a.modelCmd(), a.topologyCmd(), a.sweepCmd(), a.fidelityCmd(), a.plotCmd(), a.reportCmd(), a.tuiCmd(), a.benchCmd(), a.versionCmd())
	return root
}

// usageArgs makes what check refuses a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{fmt.Errorf("%s: %w (see %s --help)", cmd.CommandPath(), err, cmd.CommandPath())}
		}
		return nil
	}
}

// group is a command that only holds others.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: usageArgs(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return cmd.Help()
	}}
	c.AddCommand(subs...)
	return c
}

// choices offers a flag's values for completion.
func choices(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveDefault))
	if err != nil {
		panic(err) // the flag is not there
	}
}

// logger logs to standard error when asked to, else nowhere.
func (a *app) logger() *slog.Logger {
	if !a.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// warner logs what people should know in any case to standard error, and all when
// asked to.
func (a *app) warner() *slog.Logger {
	if a.verbose {
		return a.logger()
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// json writes v, indented.
func (a *app) json(v any) error {
	data, err := wholefile.JSON(v)
	if err != nil {
		return err
	}
	_, err = a.out.Write(data)
	return err
}

// printf writes a line for people; an error of standard output ends nothing.
func (a *app) printf(format string, args ...any) { _, _ = fmt.Fprintf(a.out, format+"\n", args...) }

// note writes a line beside the output, to standard error.
func (a *app) note(format string, args ...any) { _, _ = fmt.Fprintf(a.err, format+"\n", args...) }

// progress shows a line that the next one replaces, or clear removes; on a
// terminal only.
func (a *app) progress(format string, args ...any) {
	if a.tty && a.format == "text" {
		_, _ = fmt.Fprintf(a.err, "\r\x1b[K"+format, args...)
		a.progressing = true
	}
}

// clear removes the line of progress, if one is shown.
func (a *app) clear() {
	if a.progressing {
		_, _ = fmt.Fprint(a.err, "\r\x1b[K")
		a.progressing = false
	}
}
