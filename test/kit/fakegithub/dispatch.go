package fakegithub

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Dispatch is a workflow_dispatch event that was sent. The server runs no workflow.
type Dispatch struct {
	Workflow string // its file
	Ref      string // as it was asked for
	Inputs   map[string]string
	Sender   string
}

// Dispatches lists the events so far, in the order in which they were sent.
func (r *Repository) Dispatches() []Dispatch {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return slices.Clone(r.dispatches)
}

// startWorkflow accepts any workflow. The branches are main and those of pull requests.
func (s *Server) startWorkflow(c call) answer {
	r := s.repository(c)
	var f struct {
		Ref    string            `json:"ref"`
		Inputs map[string]string `json:"inputs"`
	}
	if err := json.Unmarshal(c.body, &f); err != nil { // an input that is not text
		return failure(http.StatusUnprocessableEntity, "Invalid value for input")
	}
	branch := strings.TrimPrefix(f.Ref, "refs/heads/")
	if branch != "main" && !slices.ContainsFunc(r.issues, func(i *issue) bool { return i.pull != nil && i.pull.PullRequest.Head == branch }) {
		return failure(http.StatusUnprocessableEntity, "No ref found for: "+f.Ref)
	}
	r.dispatches = append(r.dispatches, Dispatch{Workflow: c.PathValue("workflow_id"), Ref: f.Ref, Inputs: f.Inputs, Sender: c.account.login})
	return answer{status: http.StatusNoContent}
}
