package gha

import (
	"os"
	"strconv"
)

// LeaveStatus writes the exit status for the launcher (shared/launcher), whose post step
// reads it when the main step, this process's parent, was killed. A process that was
// killed itself leaves none. What is wrong with the file is then all that is lost.
func (r *Runtime) LeaveStatus(status int) {
	if path := r.env["STATE_GITOPS_STATUS"]; path != "" {
		_ = os.WriteFile(path, []byte(strconv.Itoa(status)), 0o600)
	}
}
