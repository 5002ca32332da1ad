package fakegithub

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PullRequest is a pull request that a person opens. Fields that are empty get a default:
// HeadSHA, BaseSHA, Author ("octocat"), Base ("main"), Head ("feature"), and Repository, the
// head's, which is set for a fork.
type PullRequest struct {
	Title      string
	Author     string
	Head       string // the branch to merge
	HeadSHA    string
	Repository string
	Base       string // the branch to merge into
	BaseSHA    string
	Draft      bool
}

// pull is what a pull request has in addition to an issue.
type pull struct {
	PullRequest
	issue       *issue
	merged      *time.Time
	mergeCommit string    // until merged, a test merge
	reviews     []*Review // the oldest first
	files       []File
}

// Method is how a pull request is merged.
type Method string

// The three buttons that GitHub has.
const (
	MergeCommit Method = "merge"
	Squash      Method = "squash"
	Rebase      Method = "rebase"
)

// AddPullRequest opens a pull request and returns its number.
func (r *Repository) AddPullRequest(pr PullRequest) int {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&pr.Title, "Change the infrastructure")
	fill(&pr.Author, "octocat")
	fill(&pr.Head, "feature")
	fill(&pr.HeadSHA, s.sha())
	fill(&pr.Repository, r.name)
	fill(&pr.Base, "main")
	fill(&pr.BaseSHA, s.sha())
	i := r.addIssue(Issue{Title: pr.Title, Author: pr.Author})
	i.pull = &pull{PullRequest: pr, issue: i, mergeCommit: s.sha()}
	r.associate(pr.HeadSHA, i.Number)
	return i.Number
}

// Push makes a commit the new head of an open pull request.
func (r *Repository) Push(number int, commit string) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	p := r.pull(number)
	if p == nil || p.issue.State != "open" {
		r.server.report("fakegithub: %s has no open pull request #%d to push to", r.name, number)
		return
	}
	p.HeadSHA = commit
	r.associate(commit, number)
}

// SetDraft converts a pull request to a draft, or marks it as ready for review.
func (r *Repository) SetDraft(number int, draft bool) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if p := r.pull(number); p != nil {
		p.Draft = draft
	}
}

// UpdateBranch is the button of that name: it merges the base, which has a newer commit, into
// the pull request's branch. The merge commit is the new head.
func (r *Repository) UpdateBranch(number int, commit, base string) {
	r.Push(number, commit)
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if p := r.pull(number); p != nil {
		p.BaseSHA = base
	}
}

// Merge merges a pull request and returns the merge commit. commits are the new commits of the
// base branch: one, or as many as were rebased, of which the last one is the merge commit. If
// there are none, it makes one up.
func (r *Repository) Merge(number int, method Method, commits ...string) string {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(commits) == 0 {
		commits = []string{s.sha()}
	}
	if method != Rebase && len(commits) != 1 {
		s.report("fakegithub: a %s merge makes one commit, not %d", method, len(commits))
	}
	p := r.pull(number)
	if p == nil || p.issue.State != "open" {
		s.report("fakegithub: %s has no open pull request #%d to merge", r.name, number)
		return ""
	}
	now := s.now()
	p.issue.State, p.issue.Closed, p.issue.Updated = "closed", now, now
	p.merged, p.mergeCommit = &now, commits[len(commits)-1]
	for _, commit := range commits {
		r.associate(commit, number)
	}
	return p.mergeCommit
}

func (r *Repository) associate(commit string, number int) {
	commit = strings.ToLower(commit)
	if !slices.Contains(r.commits[commit], number) {
		r.commits[commit] = append(r.commits[commit], number)
	}
}

// askedPull is the pull request that a call is about, or nil.
func (s *Server) askedPull(c call) *pull {
	number, _ := strconv.Atoi(c.PathValue("pull_number")) // the description says it is a number
	return s.repository(c).pull(number)
}

// pull is a pull request, or nil; the server's lock is held.
func (r *Repository) pull(number int) *pull {
	if i := r.issue(number); i != nil {
		return i.pull
	}
	return nil
}

// sha makes up a commit; s.mu is held.
func (s *Server) sha() string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strconv.FormatInt(s.id(), 10))))[:40]
}

// listPullRequestsOfCommit answers with an empty list for an unknown commit: the server has no Git
// repository.
func (s *Server) listPullRequestsOfCommit(c call) answer {
	r := s.repository(c)
	numbers, header := page(c.Request, r.commits[strings.ToLower(c.PathValue("commit_sha"))])
	list := []object{}
	for _, number := range numbers {
		o, err := s.pullObject(r, r.pull(number), "pull-request-simple-items")
		if err != nil {
			return failure(http.StatusInternalServerError, err.Error())
		}
		list = append(list, o)
	}
	return answer{status: http.StatusOK, header: header, body: list}
}

// listPullRequests knows only the order of creation, which is GitHub's default.
func (s *Server) listPullRequests(c call) answer {
	r, query := s.repository(c), c.URL.Query()
	for name, values := range query {
		if !slices.Contains([]string{"state", "direction", "per_page", "page"}, name) && values[0] != "created" {
			s.report("fakegithub: query parameter %q of %s is not served: one to add to listPullRequests", name, c.URL)
		}
	}
	var pulls []*pull
	for _, i := range r.issues {
		if i.pull != nil && i.fits(query.Get("state"), "") {
			pulls = append(pulls, i.pull)
		}
	}
	if query.Get("direction") != "asc" {
		slices.Reverse(pulls)
	}
	listed, header := page(c.Request, pulls)
	list := []object{}
	for _, p := range listed {
		o, err := s.pullObject(r, p, "pull-request-simple-items")
		if err != nil {
			return failure(http.StatusInternalServerError, err.Error())
		}
		list = append(list, o)
	}
	return answer{status: http.StatusOK, header: header, body: list}
}

func (s *Server) getPullRequest(c call) answer {
	r, p := s.repository(c), s.askedPull(c)
	if p == nil {
		return failure(http.StatusNotFound, "Not Found")
	}
	o, err := s.pullObject(r, p, "pull-request")
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	o["merged"] = p.merged != nil
	o["comments"] = len(p.issue.comments)
	return answer{status: http.StatusOK, body: o}
}

// pullObject is a pull request in JSON: a copy of GitHub's example in which the fields that
// matter have their current values.
func (s *Server) pullObject(r *Repository, p *pull, example string) (object, error) {
	o, err := exampleOf(example)
	if err != nil {
		return nil, err
	}
	user := o["user"].(object)
	branch := func(side string, repo, ref, sha string) {
		b := o[side].(object)
		owner, name, _ := strings.Cut(repo, "/")
		b["label"], b["ref"], b["sha"], b["user"] = owner+":"+ref, ref, sha, simpleUser(user, owner)
		in := b["repo"].(object)
		in["name"], in["full_name"], in["private"], in["owner"] = name, repo, !r.public, simpleUser(user, owner)
		in["fork"] = repo != r.name
	}
	branch("head", p.Repository, p.Head, p.HeadSHA)
	branch("base", r.name, p.Base, p.BaseSHA)
	labels := s.labelObjects(r, p.issue)
	for _, label := range labels {
		label["description"] = "" // which an issue's label need not have, as described, and this does
	}
	for field, value := range (object{
		"number":              p.issue.Number,
		"labels":              labels,
		"title":               p.Title,
		"state":               p.issue.State,
		"draft":               p.Draft,
		"url":                 s.link(false, "/repos/%s/pulls/%d", r.name, p.issue.Number),
		"html_url":            s.link(true, "/%s/pull/%d", r.name, p.issue.Number),
		"user":                simpleUser(user, p.Author),
		"created_at":          timestamp(p.issue.Created),
		"updated_at":          timestamp(p.issue.Created),
		"closed_at":           nil,
		"merged_at":           nil,
		"merge_commit_sha":    p.mergeCommit,
		"requested_reviewers": []object{},
		"requested_teams":     []object{},
	}) {
		o[field] = value
	}
	if p.issue.State == "closed" {
		o["closed_at"] = timestamp(p.issue.Closed)
	}
	if p.merged != nil {
		at := timestamp(*p.merged)
		o["closed_at"], o["merged_at"], o["updated_at"] = at, at, at
	}
	return o, nil
}
