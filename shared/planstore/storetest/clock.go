package storetest

import (
	"sync"
	"time"
)

// Clock is a time that a test moves. It also moves by itself, a little with
// each look, since no two things happen at one time.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock is a clock that is stopped at one time.
func NewClock() *Clock { return &Clock{at: time.Date(2025, 3, 1, 12, 0, 0, 123456789, time.UTC)} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Millisecond)
	return c.at
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// NewClockAt is a clock that is stopped at this time.
func NewClockAt(t time.Time) *Clock { return &Clock{at: t} }
