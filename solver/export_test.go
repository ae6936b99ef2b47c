package solver

// For the tests of package solver_test, which import package verify.
var (
	DrawProblem = drawProblem
	BruteForce  = bruteForce
	Testbed     = testbed
)
