package edgeshard_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/edgeshard/edgeshard"
)

// TestArrivalProcesses: 100,000 arrivals at 50 a second come at that rate, with
// the variation asked for, and lengths within their bounds have their mean.
func TestArrivalProcesses(t *testing.T) {
	for _, c := range []struct {
		process string
		cv      float64
	}{{"", 1}, {"poisson", 1}, {"constant", 0}, {"gamma", 2}, {"weibull", 0.5}} {
		w := edgeshard.DefaultWorkload()
		w.Requests, w.Rate, w.Arrival, w.PromptTokens = 100_000, 50, c.process, 4096
		if c.process != "" && c.process != "poisson" {
			w.ArrivalCV = c.cv
		}
		w.PromptLength = &edgeshard.Length{Distribution: "lognormal", Mean: 200, CV: 0.8}
		w.TokenLength = &edgeshard.Length{Values: []int{10, 20, 90}}
		if err := w.Validate(); err != nil {
			t.Fatal(err)
		}
		requests := w.Arrivals()
		var squares, prompts, tokens, last float64
		for i, r := range requests {
			gap := r.Arrival.Seconds() - last
			last = r.Arrival.Seconds()
			squares += gap * gap
			prompts += float64(r.Prompt)
			tokens += float64(r.Tokens)
			if r.ID != i || gap < 0 || r.Prompt < 1 || r.Prompt > 4096 {
				t.Fatalf("request %d: %+v", i, r)
			}
		}
		n := float64(len(requests))
		mean := last / n
		if cv := math.Sqrt(max(squares/n/mean/mean-1, 0)); math.Abs(mean*50-1) > 0.03 || math.Abs(cv-c.cv) > 0.05 {
			t.Errorf("%s: mean %g s, cv %g", c.process, mean, cv)
		}
		if math.Abs(prompts/n-200) > 3 || math.Abs(tokens/n-40) > 1 {
			t.Errorf("%s: %g prompt tokens and %g tokens on average, want 200 and 40", c.process, prompts/n, tokens/n)
		}
	}
}

// TestClassShares: requests fall into classes by their shares, with lengths of their own.
func TestClassShares(t *testing.T) {
	w := edgeshard.DefaultWorkload()
	w.Requests = 40_000
	w.Classes = []edgeshard.Class{
		{Name: "chat", Share: 3, TokenLength: &edgeshard.Length{Distribution: "constant", Mean: 7}},
		{Name: "never"}, {Name: "code", Share: 1},
	}
	n := [3]int{}
	for _, r := range w.Arrivals() {
		n[r.Class]++
		if want := []int{7, 0, 96}[r.Class]; r.Tokens != want {
			t.Fatalf("%+v: want %d tokens", r, want)
		}
	}
	if n[1] != 0 || math.Abs(float64(n[0])/40_000-0.75) > 0.01 {
		t.Errorf("classes of %v requests, want about 30000, 0, 10000", n)
	}
}

func TestWorkloadFaults(t *testing.T) {
	for want, change := range map[string]func(w *edgeshard.Workload){
		"workload: rate_per_s is NaN: want 0 to 1e9":                               func(w *edgeshard.Workload) { w.Rate = math.NaN() },
		"workload: rate_per_s is -1: want 0 to 1e9":                                func(w *edgeshard.Workload) { w.Rate = -1 },
		`workload: arrival is "gamma" with a rate_per_s of 0: want a rate above 0`: func(w *edgeshard.Workload) { w.Arrival = "gamma" },
		"workload: arrival: cv is 0: want 0.01 to 20 for a gamma distribution":     func(w *edgeshard.Workload) { w.Arrival, w.Rate = "gamma", 1 },
		"workload: prompt_length: mean is -2: want 0 or more":                      func(w *edgeshard.Workload) { w.PromptLength = &edgeshard.Length{Distribution: "constant", Mean: -2} },
		"workload: token_length: values[1] is 0: want 1 or more":                   func(w *edgeshard.Workload) { w.TokenLength = &edgeshard.Length{Values: []int{1, 0}} },
		`workload: class "a": share is -1: want 0 or more`:                         func(w *edgeshard.Workload) { w.Classes = []edgeshard.Class{{Name: "a", Share: -1}} },
		"workload: the shares of the classes are all 0":                            func(w *edgeshard.Workload) { w.Classes = []edgeshard.Class{{Name: "a"}} },
		"workload: slo: ttft_ms is -1 and tpot_ms 0: want 0 or more":               func(w *edgeshard.Workload) { w.SLO.TTFTMS = -1 },
		`workload: admission is "all": want batch or continuous`:                   func(w *edgeshard.Workload) { w.Admission = "all" },
		`workload: order is "random": want fifo or shortest`:                       func(w *edgeshard.Workload) { w.Order = "random" },
		"workload: requests is 1: want the 2 that are replayed":                    func(w *edgeshard.Workload) { w.Replay = make([]edgeshard.Request, 2) },
	} {
		w := edgeshard.DefaultWorkload()
		change(&w)
		if err := w.Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestReplays reads the same three requests in each format.
func TestReplays(t *testing.T) {
	want := []edgeshard.Request{
		{ID: 0, Prompt: 374, Tokens: 44}, {ID: 1, Arrival: 1500 * time.Millisecond, Prompt: 396, Tokens: 109},
		{ID: 2, Arrival: 1500 * time.Millisecond, Prompt: 1, Tokens: 55},
	}
	near := cmpopts.EquateApprox(0, 1000) // a microsecond, in dates of floating point
	for name, text := range map[string]string{
		"own":      "arrival_s,prompt_tokens,tokens\n5,374,44\n6.5,396,109\n6.5,1,55\n",
		"azure":    "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.5000000,374,44\n2023-11-16 18:15:48.0000000,396,109\n2023-11-16 18:15:48.0000000,1,55\n",
		"azure-24": "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.500000+00:00,374,44\n2024-05-10 00:00:02+00:00,396,109\n2024-05-10 00:00:02+00:00,1,55\n",
		"burstgpt": "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,374,44,418,Conversation log\n5,ChatGPT,10,0,10,Conversation log\n6.5,GPT-4,396,109,505,API log\n6.5,GPT-4,0,55,55,API log\n",
	} {
		got, err := edgeshard.ParseReplay(name, strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		round := cmp.Transformer("ns", func(d time.Duration) float64 { return float64(d) })
		if diff := cmp.Diff(want, got, round, near); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	w := edgeshard.DefaultWorkload()
	w.SetReplay(want)
	if err := w.Validate(); err != nil || w.Requests != 3 || w.PromptTokens != 396 || w.Tokens != 109 {
		t.Errorf("%v, %+v", err, w)
	}
	if diff := cmp.Diff(want, w.Arrivals()); diff != "" {
		t.Error(diff)
	}
}

func TestReplayFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "f.csv:1: expected a header, found EOF",
		"a,b":                              `f.csv:1: expected the columns arrival_s, prompt_tokens and tokens, or those of the Azure or BurstGPT traces, found ["a" "b"]`,
		"arrival_s,prompt_tokens,tokens\n": "f.csv: no request that generated a token",
		"arrival_s,prompt_tokens,tokens\n1,1,0\n":        "f.csv: no request that generated a token",
		"arrival_s,prompt_tokens,tokens\nNaN,1,1\n":      `f.csv:2: arrival_s: expected a time, found "NaN"`,
		"arrival_s,prompt_tokens,tokens\n1,x,1\n":        `f.csv:2: prompt_tokens: expected 0 to 1048576 tokens, found "x"`,
		"arrival_s,prompt_tokens,tokens\n2,1,1\n1,1,1\n": "f.csv:3: arrival_s: expected times in order, found 1 after one 1 s later",
		"TIMESTAMP,ContextTokens,GeneratedTokens\n7,1,1": `f.csv:2: TIMESTAMP: expected a time, found "7"`,
	} {
		if _, err := edgeshard.ParseReplay("f.csv", strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestGoodput: of three requests one keeps its class's objectives, one is late
// and one never gets a token.
func TestGoodput(t *testing.T) {
	p, _ := twoDevices()
	p.Workload = edgeshard.DefaultWorkload()
	p.Workload.SetReplay([]edgeshard.Request{{ID: 0, Prompt: 1, Tokens: 2}, {ID: 1, Class: 1, Prompt: 1, Tokens: 2}, {ID: 2, Class: 1, Prompt: 1, Tokens: 2}})
	p.Workload.Classes = []edgeshard.Class{{Name: "a", Share: 1}, {Name: "b", Share: 1, SLO: edgeshard.SLO{TTFTMS: 30}}}
	p.Workload.SLO = edgeshard.SLO{TTFTMS: 10, TPOTMS: 50}
	var spans []edgeshard.Span
	for request, ms := range [][2]time.Duration{{10, 60}, {31, 40}} {
		for step, at := range ms {
			spans = append(spans, edgeshard.Span{What: edgeshard.Token, Request: request, Step: step, End: at * time.Millisecond})
		}
	}
	r := edgeshard.NewReport("sim", p, spans)
	if r.Attainment != 1.0/3 || r.Goodput != 1/0.06 {
		t.Errorf("attainment %g, goodput %g/s, want 1/3 and 16.7/s", r.Attainment, r.Goodput)
	}
	want := []edgeshard.ClassReport{
		{Name: "a", Requests: 1, TTFT: same(10), TPOT: same(50), Attainment: 1, Goodput: 1 / 0.06},
		{Name: "b", Requests: 1, TTFT: same(31), TPOT: same(9)},
	}
	if diff := cmp.Diff(want, r.Classes, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Error(diff)
	}
}

func FuzzReplay(f *testing.F) {
	f.Add("arrival_s,prompt_tokens,tokens\n5,374,44\n6.5,396,109\n")
	f.Add("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.5000000,374,44\n")
	f.Fuzz(func(t *testing.T, text string) {
		requests, err := edgeshard.ParseReplay("f.csv", strings.NewReader(text))
		if err != nil {
			return
		}
		w := edgeshard.DefaultWorkload()
		w.SetReplay(requests)
		if err := w.Validate(); err != nil {
			t.Error(err)
		}
	})
}
