// Package tui is the planner's screen: a cluster, the plan for it and what it is
// predicted to do, changed by keys and answered at once.
//
// The screen owns no logic. It asks a Backend, which package cmd wires, and shows
// the answers. Update is pure: what takes time happens in commands, and their
// messages carry the revision they answer, so that a late one changes nothing.
package tui
