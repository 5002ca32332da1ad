//go:build race

package githubtest

// raceFactor is how much longer the race detector may take.
const raceFactor = 5
