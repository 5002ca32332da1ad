// Package seed says with which seed a test draws at random.
//
// In CI that is the commit's own, so that a test that fails fails for each run of the commit, and
// passes for each. Elsewhere each run has another one. TEST_SEED plays a run again; TEST_SEED=random
// is for a run in CI that is meant to find what no run has found before.
package seed

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Variable names the seed: a number, or random.
const Variable = "TEST_SEED"

// Number is the seed of a run, which the test's log names.
func Number(t testing.TB) uint64 {
	t.Helper()
	seed, err := find(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the seed is %d: %s=%d runs this again", seed, Variable, seed)
	return seed
}

// Random draws with the seed of a run.
func Random(t testing.TB) *mathrand.Rand {
	t.Helper()
	return mathrand.New(mathrand.NewPCG(Number(t), 0)) //nolint:gosec // a test's draw, which must come again
}

func find(env func(string) string) (uint64, error) {
	switch given := env(Variable); {
	case given != "" && given != "random":
		seed, err := strconv.ParseUint(given, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s is %q: it must be a number, or random", Variable, given)
		}
		return seed, nil
	case given == "" && env("CI") != "":
		return ofCommit()
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return binary.BigEndian.Uint64(random[:]), nil
}

// ofCommit is the first half of the id of the commit that is checked out.
func ofCommit() (uint64, error) {
	out, err := exec.Command("git", "rev-parse", "HEAD").Output() //nolint:noctx // it ends by itself
	if err != nil {
		return 0, fmt.Errorf("take the seed from the commit, since CI is set: git rev-parse HEAD: %w: set %s", err, Variable)
	}
	return strconv.ParseUint(strings.TrimSpace(string(out))[:16], 16, 64)
}
