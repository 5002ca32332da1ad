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

// PollInterval is how often a process group is looked for until it has ended.
const PollInterval = 20 * time.Millisecond

// WaitForGroup waits until no process of a group runs: Atmos may end before Terraform,
// which still has to write its state.
func WaitForGroup(pid int) {
	for groupRuns(pid) {
		time.Sleep(PollInterval)
	}
}

// groupRuns reports whether a process of a group runs. To kill(2), a process that has ended
// exists until its parent has waited for it. In a container, maybe nobody does.
func groupRuns(group int) bool {
	if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
		return false
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return true // not Linux
	}
	return len(groupMembers(group)) > 0
}

// groupMembers lists the processes of a group that run; on Linux only.
func groupMembers(group int) (members []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is good
	for _, file := range stats {
		// PID (NAME) STATE PARENT GROUP …; see proc_pid_stat(5).
		stat, _ := os.ReadFile(file) // a process that has just ended has none
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" && fields[0] != "X" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file))) // digits only
			members = append(members, pid)
		}
	}
	return members
}
