// Package edgeshard is the vocabulary of the system: the workload asked of a
// model, the plan that splits it over devices, the profile of what they cost,
// the spans of a run and the report made of them.
//
// A plan is made by package solver and goes unchanged to a Runner: package sim
// runs it in virtual time, package exec on real workers. Both yield spans, and
// one Recorder turns spans into a Report.
package edgeshard
