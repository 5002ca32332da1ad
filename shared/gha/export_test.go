package gha

import (
	"context"
	"time"
)

// WithRandom makes the runtime take its random strings from next.
func (r *Runtime) WithRandom(next func() string) *Runtime {
	r.random = next
	return r
}

// WithWait makes the runtime call wait where it would wait.
func (r *Runtime) WithWait(wait func(context.Context, time.Duration) error) *Runtime {
	r.wait = wait
	return r
}
