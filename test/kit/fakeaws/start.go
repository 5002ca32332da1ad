package fakeaws

import (
	"context"
	"sync"
	"testing"
)

// shared is the one server of a test binary. It ends with the process: see script.
var shared = sync.OnceValues(func() (*Server, error) { return Run(context.Background()) })

// Start returns the server that all tests of this test binary share, starting
// it for the first. Without moto_server the test fails: it is never skipped.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
