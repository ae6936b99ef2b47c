package solver

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
)

func TestTmp(t *testing.T) {
	if os.Getenv("C") == "" {
		t.Skip()
	}
	c := map[string]cluster{"64": cluster64, "256": cluster256, "1000": cluster1000}[os.Getenv("C")]
	var from, to uint64
	var k int
	fmt.Sscan(os.Getenv("S"), &from, &to, &k)
	d, _ := time.ParseDuration(os.Getenv("D"))
	for seed := from; seed <= to; seed++ {
		p := c.problem(seed)
		if k > 0 {
			p.Objective, p.MicroBatches = edgeshard.Throughput, k
		}
		c0 := cpu()
		r, err := Solve(context.Background(), p, Options{Deadline: d})
		if err != nil {
			t.Log(seed, err)
			continue
		}
		t.Logf("seed %d obj %.3f bound %.3f gap %.3f%% proved %t %v %s stages %d", seed, float64(r.Objective())/1e6, float64(r.Bound)/1e6, 100*r.Gap(), r.Proved, r.Elapsed.Round(time.Millisecond), fmt.Sprintf("cpu %.2f %+v", cpu()-c0, r.Stats), len(r.Stages))
	}
}

func cpu() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
