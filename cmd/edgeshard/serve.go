package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/serve"
	"github.com/edgeshard/edgeshard/models"
)

// serveFlags say what is served, to whom, and how.
type serveFlags struct {
	in     inputs
	solver solverFlags
	work   servingFlags
	run    workersFlags

	plan, name, template  string
	listen, keys          string
	tlsCert, tlsKey, logs string
	queue                 int
	body                  int64
	drain                 time.Duration
}

func (a *app) serveCmd() *cobra.Command {
	var s serveFlags
	cmd := &cobra.Command{
		Use: "serve --plan plan.json | -t TOPOLOGY -m MODEL", Short: "Serve a model by the OpenAI API, on the workers of a plan",
		Long: "Serve a model by the OpenAI API (/v1/chat/completions, /v1/completions, /v1/models), with /metrics, /status, /healthz and /readyz.\n" +
			"The plan says how many sequences run together (batch) and how long they may be (prompt_tokens, tokens).\n" +
			"SIGTERM ends it in order: requests under way are finished, for --drain at most.",
		Example: "edgeshard serve -t local-3 -m demo\nedgeshard plan -t home.toml -m model.gguf --objective throughput --batch 8 --prompt-tokens 1024 --tokens 1024 -o plan.json\n" +
			"edgeshard serve --plan plan.json --listen 0.0.0.0:8443 --api-key-file keys --tls-cert s.crt --tls-key s.key --cert c.crt --key c.key --ca ca.crt",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := s.planToServe(cmd)
			if err != nil {
				return a.infeasible(err)
			}
			return a.runServer(cmd.Context(), &s, p)
		},
	}
	s.register(cmd)
	return cmd
}

func (s *serveFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.plan, "plan", "", "plan to serve; without one, plan for -t and -m first")
	s.in.registerSources(cmd)
	s.solver.register(cmd)
	s.work.register(cmd)
	s.run.register(cmd)
	f.StringVar(&s.listen, "listen", "127.0.0.1:8080", "address of the API; one that is not loopback wants API keys and TLS")
	f.StringVar(&s.keys, "api-key-file", "", "API keys that are let in, one a line")
	f.StringVar(&s.tlsCert, "tls-cert", "", "certificate of the API, PEM")
	f.StringVar(&s.tlsKey, "tls-key", "", "its key")
	f.StringVar(&s.name, "name", "", "model name that clients ask for; default: the checkpoint's")
	f.StringVar(&s.template, "chat-template", "auto", "of chats: llama2, plain, or auto by what the checkpoint carries")
	f.IntVar(&s.queue, "queue", 64, "sequences that may wait; more are answered 429")
	f.Int64Var(&s.body, "max-body", serve.DefaultMaxBody, "bytes of a request, at most")
	f.DurationVar(&s.drain, "drain", 30*time.Second, "how long requests may take to end after SIGTERM")
	f.StringVar(&s.logs, "log-format", "text", "of the log on standard error: text or json")
	choices(cmd, "chat-template", "auto", serve.Llama2.Name, serve.Plain.Name)
	choices(cmd, "log-format", "text", "json")
}

// runServer serves a plan until it is told to stop.
func (a *app) runServer(ctx context.Context, s *serveFlags, p *edgeshard.Plan) error {
	log, err := s.logger(a)
	if err != nil {
		return err
	}
	o, how, err := s.options(p, log)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return err
	}
	if err := how.Check(l.Addr(), o.Keys); err != nil {
		_ = l.Close()
		return usagef("--listen: %w (--api-key-file, --tls-cert, --tls-key)", err)
	}
	o.LocalOnly = l.Addr().(*net.TCPAddr).IP.IsLoopback() && o.Keys == nil
	runner, err := s.run.runner(a, log)
	if err != nil {
		_ = l.Close()
		return err
	}
	now, stop := impatient()
	defer stop()
	return a.serveUntil(ctx, now, &service{plan: p, runner: runner, options: o, listener: l, how: how, log: log})
}

// impatient returns a context that ends when there is no more patience for
// requests under way: at Ctrl-C, or at the second SIGTERM.
func impatient() (context.Context, func()) {
	now, cut := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for told := false; ; told = true {
			select {
			case s := <-signals:
				if s == os.Interrupt || told {
					cut()
					return
				}
			case <-now.Done():
				return
			}
		}
	}()
	return now, func() { signal.Stop(signals); cut() }
}

// A service is a plan, who runs it, and who may ask for what.
type service struct {
	plan     *edgeshard.Plan
	runner   *exec.Runner
	options  serve.Options
	listener net.Listener
	how      serve.Listening
	log      *slog.Logger
}

// engine is an exec.Engine as a serve.Generator.
type engine struct{ *exec.Engine }

// Submit lets a request in.
func (e engine) Submit(ctx context.Context, q exec.Request) (serve.Generation, error) {
	g, err := e.Engine.Submit(ctx, q)
	if err != nil {
		return nil, err
	}
	return g, nil
}

// serveUntil answers from the start, lets requests in when the workers are
// there, and lets the workers go when the last request has ended.
func (a *app) serveUntil(ctx, now context.Context, s *service) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	opening, abandon := context.WithCancelCause(context.WithoutCancel(ctx))
	defer abandon(nil)
	undo := context.AfterFunc(ctx, func() { abandon(context.Cause(ctx)) }) // while there is nothing to drain
	var status statusOf
	s.options.Status = status.of
	server := serve.New(s.options)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, now, s.listener, s.how) }()
	e, err := s.runner.Open(opening, s.plan, s.options.Monitor)
	a.clear()
	if err != nil {
		stop()
		return errors.Join(err, <-served)
	}
	if !undo() { // told to stop just now
		return errors.Join(e.Close(), <-served)
	}
	status.set(e)
	server.Ready(engine{e})
	a.announce(s)
	select {
	case err = <-served:
	case <-e.Done():
		s.log.Error("the workers are gone", "err", e.Close())
		stop()
		err = <-served
	}
	if now.Err() != nil {
		abandon(now.Err())
	}
	return errors.Join(e.Close(), err)
}

// announce tells where the API is.
func (a *app) announce(s *service) {
	scheme := "http"
	if s.how.Certificate != nil {
		scheme = "https"
	}
	url := fmt.Sprintf("%s://%s/v1", scheme, s.listener.Addr())
	m, w := s.options.Model, &s.plan.Workload
	if a.format == "json" {
		_ = a.json(map[string]any{
			"url": url, "model": m.Name, "chat_template": m.Template.Name, "sequences": w.Batch,
			"max_prompt_tokens": m.Prompt, "max_model_len": m.Positions,
		})
		return
	}
	a.printf("serving %s at %s: %d sequences at a time, prompts of up to %d tokens, %d with what is generated", m.Name, url, w.InFlight(), m.Prompt, m.Positions)
	a.printf("chats: %s", m.Template.Note)
}

// options gather what the API is to be.
func (s *serveFlags) options(p *edgeshard.Plan, log *slog.Logger) (serve.Options, serve.Listening, error) {
	how := serve.Listening{Drain: s.drain}
	m, err := s.model(p, log)
	if err != nil {
		return serve.Options{}, how, err
	}
	o := serve.Options{
		Model: m, Slots: p.Workload.InFlight(), Queue: s.queue, MaxBody: s.body, Monitor: serve.NewMonitor(p), Log: log,
	}
	if s.queue < 0 || s.body < 1 || s.drain < 0 {
		return o, how, usagef("--queue %d, --max-body %d, --drain %s: want 0, 1 byte and 0s or more", s.queue, s.body, s.drain)
	}
	if s.keys != "" {
		if o.Keys, err = readKeys(s.keys, log); err != nil {
			return o, how, err
		}
	}
	if (s.tlsCert == "") != (s.tlsKey == "") {
		return o, how, usagef("want --tls-cert and --tls-key together")
	}
	if s.tlsCert != "" {
		c, err := tls.LoadX509KeyPair(s.tlsCert, s.tlsKey)
		if err != nil {
			return o, how, fmt.Errorf("--tls-cert %s: %w", s.tlsCert, err)
		}
		how.Certificate = &c
	}
	return o, how, nil
}

// model opens the checkpoint for its tokenizer and its chat template.
func (s *serveFlags) model(p *edgeshard.Plan, log *slog.Logger) (m serve.Model, err error) {
	ref := cmp.Or(s.run.weights, p.Model.Ref)
	if !edgeshard.HasWeights(ref) {
		return m, fmt.Errorf("model %s is a shape without weights: serving needs a checkpoint", ref)
	}
	c, err := models.Open(ref)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	m = serve.Model{Name: s.name, Prompt: p.Workload.PromptTokens, Positions: min(p.Workload.Positions(), p.Model.Config.Context)}
	if m.Name == "" {
		m.Name = p.Model.Config.Name
	}
	if m.Tokenizer, err = c.Tokenizer(); err != nil {
		return m, err
	}
	if s.template != "auto" {
		if m.Template, err = serve.TemplateNamed(s.template); err != nil {
			err = usagef("--chat-template: %w or auto", err)
		}
		return m, err
	}
	own := models.ChatTemplate(c)
	var known bool
	if m.Template, known = serve.TemplateFor(own); !known {
		log.Warn("the checkpoint's chat template is not Llama 2's: chats become plain text", "template", fmt.Sprintf("%.80q", own))
	}
	return m, nil
}

// logger logs to standard error, in detail when asked to.
func (s *serveFlags) logger(a *app) (*slog.Logger, error) {
	level := slog.LevelInfo
	if a.verbose {
		level = slog.LevelDebug
	}
	o := &slog.HandlerOptions{Level: level}
	switch s.logs {
	case "text":
		return slog.New(slog.NewTextHandler(a.err, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(a.err, o)), nil
	}
	return nil, usagef("--log-format is %q: want text or json", s.logs)
}
