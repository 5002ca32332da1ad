// Command verdict reads the output of `go test -json` and prints a summary. It fails unless every test
// ran and passed: a skipped test proves nothing.
//
// It prints a line for each package, the whole output of each test that failed,
// and at last "N passed, M failed".
package main

import (
	"fmt"
	"os"
)

func main() {
	v := newVerdict(os.Stdout)
	if err := v.read(os.Stdin); err != nil {
		fmt.Fprintf(os.Stderr, "verdict: %v\n", err)
		os.Exit(1)
	}
	if !v.conclude() {
		os.Exit(1)
	}
}
