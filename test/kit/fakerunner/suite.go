package fakerunner

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Suite is an action's tests, for testscript.Main, with the other actions that their stories need.
// These are built before the tests run.
type Suite struct {
	*testing.M
	Others []string
	// Built has the absolute path of each binary while the tests run.
	Built map[string]string
}

// Run builds the other actions, whose folders are beside that of the tests; see [Binary].
func (s *Suite) Run() int {
	dir, err := os.MkdirTemp("", "gitops-actions-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	s.Built = map[string]string{}
	for _, name := range s.Others {
		if s.Built[name], err = Binary(context.Background(), filepath.Join("..", ".."), dir, name); err != nil {
			panic(err)
		}
	}
	return s.M.Run()
}

// clockVariable is a duration that [Clock] adds to the time.
const clockVariable = "TEST_CLOCK"

// Clock is the time plus the duration in TEST_CLOCK, for an action's Main in stories about expiry.
func Clock() time.Time {
	later, err := time.ParseDuration(os.Getenv(clockVariable))
	if err != nil {
		return time.Now()
	}
	return time.Now().Add(later)
}
