// Package weights knows the weights of a model by what they are, not by where
// they lie: a tensor is an object named by its hash, cut into hashed chunks. It
// describes checkpoints so, keeps objects in a folder of limited size, and
// fetches those that are missing from whoever has them.
package weights
