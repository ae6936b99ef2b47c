package experiments_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/experiments"
)

// policyPlans are the plans of testdata/cluster.toml that the rules lead to by hand.
var policyPlans = map[string]string{
	// Weights of 27 GB: the source and the largest hold them, 16 : 64 of 34 units.
	"exo": "s[0-7] d[7-34]",
	// By memory, 32 : 8 : 64 and then the host's 16, of blocks and head.
	"llamacpp-rpc": "s[0-1] b[1-10] c[10-12] d[12-30] s[30-34]",
	// By FLOPS, 7 : 2 : 1 and the master's 1: c would get 20 of 32 blocks, and
	// holds 9; b then has 2/3 of the 20 left, d the rest of 29.
	"cake": "s[0-1] c[1-10] b[10-23] d[23-30] s[30-34]",
	// The source and the largest hold the weights, and are equally fast.
	"parallax": "s[0-17] d[17-34]",
	// The least longest stage; the slow link from b to c is not seen.
	"pipeedge": "s[0-6] d[6-12] b[12-24] c[24-34]",
	// The same, in order of memory.
	"mesh-llm": "s[0-6] d[6-12] b[12-24] c[24-34]",
	// The fastest devices full, over the slow link.
	"halda":      "s[0-1] b[1-24] c[24-34]",
	"helix-even": "s[0-9] b[9-18] c[18-26] d[26-34]",
}

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
	if diff := cmp.Diff(policyPlans, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
