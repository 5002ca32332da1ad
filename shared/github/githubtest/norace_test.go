//go:build !race

package githubtest

const raceFactor = 1
