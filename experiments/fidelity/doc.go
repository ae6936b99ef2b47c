// Package fidelity sets predictions beside measurements: plans of several models
// on clusters of unequal devices are predicted from profiles measured before, and
// then run for real on this machine, several times each.
package fidelity
