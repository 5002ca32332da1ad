package evaluator

import (
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

const (
	// memoryCheck is how often the memory is looked at. A call of one built-in can take more
	// before the next look: the hard limit ends that.
	memoryCheck = 20 * time.Millisecond
	// memorySlack is how far the hard limit is above the one that is looked after.
	memorySlack = 256 << 20
)

// limitMemory calls exceeded when this process has more than limit bytes of memory. On Linux the
// process is ended if it takes much more at once.
func limitMemory(limit int64, exceeded func()) {
	hard := uint64(limit + memorySlack)
	// An error leaves the softer limit, below.
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: hard, Max: hard})
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) // it would have the plan's secrets
	debug.SetMemoryLimit(limit * 9 / 10)
	go func() {
		samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		for range time.Tick(memoryCheck) {
			metrics.Read(samples)
			if samples[0].Value.Uint64()-samples[1].Value.Uint64() > uint64(limit) {
				exceeded()
			}
		}
	}()
}
