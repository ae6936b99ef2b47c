// Package solver finds which devices run which units of a model.
//
// New draws a Problem, numbers only, from a model, a topology and a workload;
// Solve finds stages for it; Plan does both and states the plan. The solver
// "exact" proves its plans optimal or states the gap; the others are the
// algorithms of the EdgeShard paper (arXiv 2405.14371) and its baselines.
package solver
