package experiments_test

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/experiments"
)

// sweepDir makes this test's binary a sweep that keeps its outcomes in the folder
// it names.
const sweepDir = "EDGESHARD_TEST_SWEEP"

// long has 960 points.
var long = strings.Replace(quick, "repeats = 2", "repeats = 20", 1)

func sweepInto(dir string) error {
	spec, err := experiments.ParseSpec(filepath.Join(dir, "experiment.toml"), []byte(long))
	if err != nil {
		return err
	}
	_, err = (&experiments.Sweep{Spec: spec, Cache: &experiments.Cache{Dir: dir}, Version: "test"}).Run(context.Background())
	return err
}

// TestKill kills sweeps of their own processes at 20 random moments: what they
// left is whole, and the sweep that ends has an undisturbed one's results.
func TestKill(t *testing.T) {
	whole := csvOf(t, &experiments.Sweep{Spec: parse(t, long), Version: "test"})
	rng := rand.New(rand.NewPCG(3, 4))
	cache := &experiments.Cache{Dir: t.TempDir()}
	kills := 0
	for range 20 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), sweepDir+"="+cache.Dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.IntN(80)) * time.Millisecond) // the moment is what is tested
		if err := c.Process.Kill(); err == nil {
			kills++
		}
		_ = c.Wait()
	}
	cached := 0
	s := &experiments.Sweep{Spec: parse(t, long), Version: "test", Cache: cache, Tell: func(p experiments.Progress) { cached = p.Cached }}
	if diff := cmp.Diff(whole, csvOf(t, s)); diff != "" {
		t.Errorf("results differ:\n%s", diff)
	}
	t.Logf("%d kills; %d of 960 points were there", kills, cached)
}
