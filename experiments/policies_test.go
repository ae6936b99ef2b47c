package experiments_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/experiments"
)

// TestPolicies states each policy's plan for one cluster whose devices differ in
// memory and speed in opposite ways, and whose links are slow between some.
func TestPolicies(t *testing.T) {
	spec, err := experiments.ParseSpec("testdata/policies.toml", []byte(`
[base]
model = "llama2-7b"
topology = "cluster.toml"
[[axis]]
key = "solver"
values = ["exo", "llamacpp-rpc", "cake", "parallax", "pipeedge", "mesh-llm", "halda", "helix-even"]
`))
	if err != nil {
		t.Fatal(err)
	}
	results, err := (&experiments.Sweep{Spec: spec}).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for i := range results {
		r := &results[i]
		got[r.Settings[0].Value.(string)] = r.Plan + strings.SplitN(r.Error, ":", 2)[0]
	}
	want := map[string]string{
		// By memory, 16 : 32 : 8 : 64; exo has the larger devices first.
		"exo":          "s[0-5] d[5-23] b[23-32] c[32-34]",
		"llamacpp-rpc": "s[0-5] b[5-14] c[14-16] d[16-34]",
		// By FLOPS, 1 : 2 : 7 : 1: c would get 22 of 34 units, and holds 9.
		"cake":     "no plan fits",
		"parallax": "s[0-6] b[6-19] c[19-28] d[28-34]",
		// The least longest stage, without memory; within it, past the slow link
		// from b to c.
		"pipeedge": "no plan fits",
		"mesh-llm": "s[0-6] b[6-18] d[18-24] c[24-34]",
		// The fastest devices full, over the slow link.
		"halda":      "s[0-1] b[1-24] c[24-34]",
		"helix-even": "s[0-9] b[9-17] c[17-26] d[26-34]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
