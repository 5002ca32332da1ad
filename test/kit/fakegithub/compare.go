package fakegithub

import (
	"net/http"
	"slices"
	"strings"
)

// AddHistory adds commits, each of which is the parent of the next one. The server has no Git
// repository: it knows only these.
func (r *Repository) AddHistory(commits ...string) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	for _, commit := range commits {
		r.history = append(r.history, strings.ToLower(commit))
	}
}

// compareCommits compares two commits of the history.
func (s *Server) compareCommits(c call) answer {
	r := s.repository(c)
	base, head, _ := strings.Cut(strings.ToLower(c.PathValue("basehead")), "...")
	from, to := slices.Index(r.history, base), slices.Index(r.history, head)
	if from < 0 || to < 0 {
		return failure(http.StatusNotFound, "Not Found")
	}
	o, err := exampleOf("commit-comparison")
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	o["status"] = "identical"
	switch {
	case from < to:
		o["status"] = "ahead"
	case from > to:
		o["status"] = "behind"
	}
	o["ahead_by"], o["behind_by"], o["total_commits"] = max(to-from, 0), max(from-to, 0), max(to-from, 0)
	o["base_commit"].(object)["sha"] = base
	o["merge_base_commit"].(object)["sha"] = r.history[min(from, to)]
	o["commits"], o["files"] = []object{}, []object{}
	return answer{status: http.StatusOK, body: o}
}
