package fakegithub

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Status is a status that was set on a commit. The newest one of each context counts.
type Status struct {
	Commit      string
	Context     string
	State       string // "error", "failure", "pending" or "success"
	Description string
	URL         string // empty: it links to nothing
	Creator     string
	At          time.Time

	id int64
}

// maxStatusText is GitHub's limit on a description, in characters.
const maxStatusText = 140

// AddStatus sets a status on a commit.
func (r *Repository) AddStatus(status Status) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.addStatus(status)
}

func (r *Repository) addStatus(status Status) Status {
	status.id, status.At = r.server.id(), r.server.now()
	status.Commit = strings.ToLower(status.Commit)
	r.statuses = append(r.statuses, status)
	return status
}

// Statuses lists the statuses of all commits, the oldest first.
func (r *Repository) Statuses() []Status {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return slices.Clone(r.statuses)
}

// createStatus accepts any commit, since the server has no Git repository.
func (s *Server) createStatus(c call) answer {
	r := s.repository(c)
	var f struct {
		State, Context, Description string
		TargetURL                   string `json:"target_url"`
	}
	_ = json.Unmarshal(c.body, &f) // the description was checked already
	if utf8.RuneCountInString(f.Description) > maxStatusText {
		refused := failure(http.StatusUnprocessableEntity, "Validation Failed")
		refused.body.(object)["errors"] = []object{{
			"resource": "Status", "code": "custom", "field": "description",
			"message": "description is too long (maximum is 140 characters)",
		}}
		return refused
	}
	if f.Context == "" {
		f.Context = "default"
	}
	status := r.addStatus(Status{
		Commit: c.PathValue("sha"), Context: f.Context, State: f.State, Description: f.Description, URL: f.TargetURL, Creator: c.account.login,
	})
	o, err := exampleOf("status")
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	s.fillStatus(r, status, o)
	o["creator"] = simpleUser(o["creator"].(object), status.Creator)
	return answer{status: http.StatusCreated, header: http.Header{"Location": {o["url"].(string)}}, body: o}
}

// combinedStatus answers with the newest status of each context, in pages.
func (s *Server) combinedStatus(c call) answer {
	r, commit := s.repository(c), strings.ToLower(c.PathValue("ref"))
	var newest []Status
	for _, status := range slices.Backward(r.statuses) {
		same := func(n Status) bool { return strings.EqualFold(n.Context, status.Context) }
		if status.Commit == commit && !slices.ContainsFunc(newest, same) {
			newest = append(newest, status)
		}
	}
	o, err := exampleOf("combined-commit-status")
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	example := o["statuses"].([]any)[0].(object)
	listed, header := page(c.Request, newest)
	statuses := []object{}
	for _, status := range listed {
		one := copyOf(example)
		s.fillStatus(r, status, one)
		statuses = append(statuses, one)
	}
	_, name, _ := strings.Cut(r.name, "/")
	in := o["repository"].(object)
	in["id"], in["name"], in["full_name"], in["private"] = r.id, name, r.name, !r.public
	o["sha"], o["state"], o["total_count"], o["statuses"] = commit, combined(newest), len(newest), statuses
	o["commit_url"] = s.link(false, "/repos/%s/commits/%s", r.name, commit)
	o["url"] = s.link(false, "/repos/%s/commits/%s/status", r.name, commit)
	return answer{status: http.StatusOK, header: header, body: o}
}

// combined is the overall state of some statuses.
func combined(statuses []Status) string {
	state := "success"
	for _, status := range statuses {
		switch status.State {
		case "error", "failure":
			return "failure"
		case "pending":
			state = "pending"
		}
	}
	if len(statuses) == 0 {
		return "pending"
	}
	return state
}

// fillStatus fills one of GitHub's examples with a status.
func (s *Server) fillStatus(r *Repository, status Status, o object) {
	o["id"], o["state"], o["context"] = status.id, status.State, status.Context
	o["url"] = s.link(false, "/repos/%s/statuses/%s", r.name, status.Commit)
	o["description"], o["target_url"] = nil, nil
	if status.Description != "" {
		o["description"] = status.Description
	}
	if status.URL != "" {
		o["target_url"] = status.URL
	}
	o["created_at"], o["updated_at"] = timestamp(status.At), timestamp(status.At)
}
