package solver

// For the tests of package solver_test, which import package verify.
var (
	DrawProblem = drawProblem
	BruteForce  = bruteForce
	EveryPlan   = everyPlan
	Testbed     = testbed
	Clusters    = map[string]cluster{"64": cluster64, "256": cluster256, "1000": cluster1000}
)

func (c cluster) Problem(seed uint64) *Problem { return c.problem(seed) }
