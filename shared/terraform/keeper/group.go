package keeper

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// PollInterval is how often a process group is looked for while it ends.
const PollInterval = 20 * time.Millisecond

// WaitForGroup waits until nothing of a process group runs: Atmos may end before
// Terraform does, which still has its state to write.
func WaitForGroup(pid int) {
	for groupRuns(pid) {
		time.Sleep(PollInterval)
	}
}

// groupRuns reports whether something of a process group runs. What has ended counts
// for kill(2) until its parent has asked for it, which in a container nobody may do.
func groupRuns(group int) bool {
	if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
		return false
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return true // not Linux
	}
	return len(groupMembers(group)) > 0
}

// groupMembers are the processes of a group that run; on Linux only.
func groupMembers(group int) (members []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is good
	for _, file := range stats {
		// PID (NAME) STATE PARENT GROUP …; see proc_pid_stat(5).
		stat, _ := os.ReadFile(file) // that it has just ended is no error
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" && fields[0] != "X" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file))) // digits only
			members = append(members, pid)
		}
	}
	return members
}
