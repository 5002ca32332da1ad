package evaluator

import (
	"os"
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
	// If the machine has no memory left, Linux is to end this process, and not one that applies. Other
	// systems have no such file. https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
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
