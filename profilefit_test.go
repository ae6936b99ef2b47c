package edgeshard

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard/models"
)

// measured is a profile of one unit at batches of 1 and 4, of 1 and 16 tokens.
func measured() *Profile {
	return &Profile{
		Name: "m", Model: "demo", Units: 1, Origin: Origin{Precision: "q8_0", Kernel: "avx2", Threads: 1, Date: "2026-01-01T00:00:00Z", Version: "v1"},
		Points: []Point{
			{To: 1, Batch: 1, Tokens: 1, Past: 0, MS: 1}, {To: 1, Batch: 1, Tokens: 1, Past: 64, MS: 1.5},
			{To: 1, Batch: 1, Tokens: 16, MS: 6}, {To: 1, Batch: 4, Tokens: 1, Past: 0, MS: 2},
			{To: 1, Batch: 4, Tokens: 1, Past: 64, MS: 4}, {To: 1, Batch: 4, Tokens: 16, MS: 20},
		},
	}
}

func TestBeyond(t *testing.T) {
	p := measured()
	for _, c := range []struct {
		pass models.Pass
		want string
	}{
		{models.Pass{Batch: 1, Tokens: 1, Past: 64}, ""},
		{models.Pass{Batch: 3, Tokens: 7}, ""},
		{models.Pass{Batch: 1, Tokens: 1, Past: 65}, "passes of 1 × 1 tokens after 65 positions go beyond the 64 measured"},
		{models.Pass{Batch: 1, Tokens: 32}, "passes of 1 × 32 tokens were not measured: they count as others of as many rows"},
		{models.Pass{Batch: 8, Tokens: 16}, "passes of 8 × 16 tokens have 2 times the rows of the largest measured, 64"},
	} {
		if got := p.Beyond(c.pass); got != c.want {
			t.Errorf("%+v: %q, want %q", c.pass, got, c.want)
		}
	}
}

func TestMisfitsAndOutdated(t *testing.T) {
	p, w := measured(), DefaultWorkload()
	w.PromptTokens, w.Tokens = 16, 8
	model := models.Config{Name: "demo"}
	if why := p.Misfits(model, models.Q8_0, &w); why != nil {
		t.Errorf("a profile that fits: %v", why)
	}
	model.Name = "other"
	want := []string{
		"it was measured with weights in q8_0, the plan's are in f16",
		"it was measured with demo, the plan is for other",
	}
	if diff := cmp.Diff(want, p.Misfits(model, models.F16, &w)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	if why := p.Outdated(Origin{Kernel: "avx2", Threads: 1}, day); why != nil {
		t.Errorf("a fresh profile: %v", why)
	}
	want = []string{
		"it was measured with the kernel path avx2, here it is avx512", "it was measured with version v1, here it is v2",
		"it was measured with 1 threads, here it is 2", "it is 101 days old",
	}
	got := p.Outdated(Origin{Kernel: "avx512", Threads: 2, Version: "v2"}, day.AddDate(0, 0, 100))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Within what was measured, noisy as it may be, a larger pass never takes less time.
func TestProfileMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &Profile{Name: "p", Units: 1}
		for _, batch := range []int{1, 2, 8} {
			for _, tokens := range []int{1, 4, 32} {
				for _, past := range []int{0, 10, 100} {
					p.Points = append(p.Points, Point{To: 1, Batch: batch, Tokens: tokens, Past: past, MS: rapid.Float64Range(0, 9).Draw(t, "ms")})
				}
			}
		}
		timer, err := p.timer(models.Config{Layers: -1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		pass := models.Pass{Batch: rapid.IntRange(1, 8).Draw(t, "batch"), Tokens: rapid.IntRange(1, 32).Draw(t, "tokens"), Past: rapid.IntRange(0, 100).Draw(t, "past")}
		larger := pass
		larger.Past = min(100, larger.Past+rapid.IntRange(0, 50).Draw(t, "more past"))
		larger.Tokens = min(32, larger.Tokens+rapid.IntRange(0, 8).Draw(t, "more tokens"))
		larger.Batch = min(8, larger.Batch+rapid.IntRange(0, 4).Draw(t, "more batch"))
		if a, b := timer.seconds(0, pass), timer.seconds(0, larger); b < a*(1-1e-9) {
			t.Errorf("%+v takes %g s, %+v %g s", pass, a, larger, b)
		}
	})
}

// Warnings of several profiles for one reason are one.
func TestPlanWarnings(t *testing.T) {
	p := demoPlan(t)
	p.Workload.PromptTokens = 64
	p.Profiles = map[string]*Profile{}
	for i := range p.Topology.Devices {
		q := measured()
		q.Name, q.Precision = p.Topology.Devices[i].Name, p.Model.Precision.String()
		p.Topology.Devices[i].Profile, p.Profiles[q.Name] = q.Name, q
	}
	got := p.Warnings()
	want := "profile phone, laptop, desktop: passes of 1 × 64 tokens were not measured: they count as others of as many rows"
	if len(got) != 2 || got[0] != want || !strings.HasSuffix(got[1], "go beyond the 64 measured") {
		t.Errorf("got %q\nwant %q and one of the past", got, want)
	}
}
