// Package retry tries an operation again after a temporary error. AWS clients don't need it, since
// the SDK has its own retryer. Calls to GitHub don't either, since GitHub says when to try again
// (package github).
package retry

import (
	"context"
	"fmt"
	"time"
)

// Policy says how often to try, and how long to wait between two tries.
type Policy struct {
	Tries  int           // in all
	Wait   time.Duration // before the second try
	Double bool          // each wait is twice as long as the one before

	// Sleep waits; nil is [Sleep]. A test replaces it.
	Sleep func(context.Context, time.Duration) error
}

// Do calls try until it succeeds, until it says that its error is final (again is false), or
// until all tries are used up, and returns its last error. If ctx ends while Do waits, the
// error also wraps the cause.
func (p Policy) Do(ctx context.Context, try func() (again bool, err error)) error {
	sleep, wait := p.Sleep, p.Wait
	if sleep == nil {
		sleep = Sleep
	}
	for tries := 1; ; tries++ {
		again, err := try()
		if err == nil || !again || tries >= p.Tries {
			return err
		}
		if ended := sleep(ctx, wait); ended != nil {
			return fmt.Errorf("%w (after: %w)", ended, err)
		}
		if p.Double {
			wait *= 2
		}
	}
}

// Sleep waits for d. If ctx ends earlier, it returns the cause at once.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
