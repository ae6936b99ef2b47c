// Package experiments runs many plans described in one file, and turns what they
// came to into tables and pictures.
//
// ParseSpec reads an experiment; its points are settled before anything runs. A
// Sweep runs them on all cores, keeps every outcome in a content-addressed Cache
// and returns a Table, the same whatever was cached and in which order points
// ended.
package experiments
