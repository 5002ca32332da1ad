package gha

import (
	"os"
	"strconv"
)

// LeaveStatus writes the exit status to a file for the launcher (shared/launcher). Its post
// step reads the file if the main step, this process' parent, was killed. If the file cannot
// be written, the post step does not know the status, as if this process was killed, too.
func (r *Runtime) LeaveStatus(status int) {
	if path := r.env["STATE_GITOPS_STATUS"]; path != "" {
		_ = os.WriteFile(path, []byte(strconv.Itoa(status)), 0o600)
	}
}
