package fakegithub

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Issue is an issue as it is now. AddIssue reads only Title (default: "Something is wrong"),
// Body, Author (default: "octocat"), Labels and Assignees.
type Issue struct {
	Number      int
	Title       string
	Body        string
	Author      string
	State       string // "open" or "closed"
	StateReason string
	Labels      []string
	Assignees   []string
	Locked      bool
	Created     time.Time
	Updated     time.Time
	Closed      time.Time // zero if it is open
	ClosedBy    string
}

type issue struct {
	Issue
	pull     *pull // nil for an issue that is not a pull request
	deleted  bool
	in       *Repository // where it was transferred to, or nil
	as       int         // its number there
	comments []*comment
	events   []Event
}

// page is the word for it in the address of its page.
func (i *issue) page() string {
	if i.pull != nil {
		return "pull"
	}
	return "issues"
}

// maxTitle is GitHub's limit, in characters.
const maxTitle = 256

// AddIssue opens an issue as a person, and returns its number.
func (r *Repository) AddIssue(i Issue) int {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return r.addIssue(i).Number
}

func (r *Repository) addIssue(given Issue) *issue {
	now := r.server.now()
	i := &issue{Issue: Issue{
		Number: len(r.issues) + 1, Title: given.Title, Body: given.Body, Author: given.Author,
		State: "open", Assignees: slices.Clone(given.Assignees), Created: now, Updated: now,
	}}
	if i.Title == "" {
		i.Title = "Something is wrong"
	}
	if i.Author == "" {
		i.Author = "octocat"
	}
	r.issues = append(r.issues, i)
	for _, label := range given.Labels {
		r.label(i, i.Author, label)
	}
	return i
}

// issue is an issue, a pull request, or nil; the server's lock is held.
func (r *Repository) issue(number int) *issue {
	if number < 1 || number > len(r.issues) {
		return nil
	}
	return r.issues[number-1]
}

// Issue is an issue as it is now; false if it was deleted or transferred.
func (r *Repository) Issue(number int) (Issue, bool) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	i := r.issue(number)
	if i == nil || i.pull != nil || i.deleted || i.in != nil {
		return Issue{}, false
	}
	return i.snapshot(), true
}

// Issues lists all issues, open and closed, the oldest first, without pull requests.
func (r *Repository) Issues() []Issue {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	var list []Issue
	for _, i := range r.issues {
		if i.pull == nil && !i.deleted && i.in == nil {
			list = append(list, i.snapshot())
		}
	}
	return list
}

func (i *issue) snapshot() Issue {
	s := i.Issue
	s.Labels, s.Assignees = slices.Clone(i.Labels), slices.Clone(i.Assignees)
	return s
}

// asked is the issue or pull request that a call is about, or nil and the answer for that case.
func (s *Server) asked(c call) (*issue, answer) {
	r := s.repository(c)
	number, _ := strconv.Atoi(c.PathValue("issue_number")) // the description says it is a number
	i := r.issue(number)
	level := "write"
	if c.Method == http.MethodGet {
		level = "read"
	}
	switch {
	case i == nil:
		return nil, failure(http.StatusNotFound, "Not Found")
	case i.pull == nil && !c.account.may(level, "issues") && !(r.public && level == "read"):
		return nil, failure(http.StatusForbidden, "Resource not accessible by integration")
	case i.deleted:
		return nil, failure(http.StatusGone, "This issue was deleted")
	case i.in != nil && c.Method == http.MethodGet && strings.HasSuffix(c.URL.Path, "/"+strconv.Itoa(number)):
		return nil, moved(http.StatusMovedPermanently, i.in, "/issues/"+strconv.Itoa(i.as))
	case i.in != nil: // only the issue itself is redirected, and only to be read
		return nil, failure(http.StatusNotFound, "Not Found")
	}
	return i, answer{}
}

func (s *Server) getIssue(c call) answer {
	i, refused := s.asked(c)
	if i == nil {
		return refused
	}
	return s.issueAnswer(http.StatusOK, s.repository(c), i)
}

// issueFields are the fields that a call sets; nil leaves a field as it is.
type issueFields struct {
	Title       *string
	Body        *string
	State       *string
	StateReason *string `json:"state_reason"`
	Labels      *[]string
	Assignees   *[]string
}

func (s *Server) createIssue(c call) answer {
	r := s.repository(c)
	f, refused := s.issueFields(r, c)
	if refused.status != 0 {
		return refused
	}
	given := Issue{Title: *f.Title, Author: c.account.login}
	if f.Body != nil {
		given.Body = *f.Body
	}
	if f.Labels != nil {
		given.Labels = *f.Labels
	}
	if f.Assignees != nil {
		given.Assignees = *f.Assignees
	}
	return s.issueAnswer(http.StatusCreated, r, r.addIssue(given))
}

func (s *Server) updateIssue(c call) answer {
	i, refused := s.asked(c)
	if i == nil {
		return refused
	}
	r := s.repository(c)
	f, refused := s.issueFields(r, c)
	if refused.status != 0 {
		return refused
	}
	if f.Title != nil {
		i.Title = *f.Title
	}
	if f.Body != nil {
		i.Body = *f.Body
	}
	if f.Labels != nil {
		r.setLabels(i, c.account.login, *f.Labels)
	}
	if f.Assignees != nil {
		i.Assignees = *f.Assignees
	}
	reason := ""
	if f.StateReason != nil {
		reason = *f.StateReason
	}
	if f.State != nil {
		r.setState(i, c.account.login, *f.State, reason)
	}
	i.Updated = s.now()
	return s.issueAnswer(http.StatusOK, r, i)
}

// setState opens or closes an issue. The reason counts only if the state changes.
func (r *Repository) setState(i *issue, actor, state, reason string) {
	now := r.server.now()
	switch {
	case state == i.State:
		return
	case state == "closed":
		if reason == "" {
			reason = "completed"
		}
		i.Closed, i.ClosedBy = now, actor
		r.event(i, Event{Kind: "closed", Actor: actor})
	default:
		reason = "reopened"
		i.Closed, i.ClosedBy = time.Time{}, ""
		r.event(i, Event{Kind: "reopened", Actor: actor})
	}
	i.State, i.StateReason, i.Updated = state, reason, now
}

// issueFields reads the fields that a call sets, and refuses what GitHub refuses.
func (s *Server) issueFields(r *Repository, c call) (issueFields, answer) {
	var f issueFields
	if err := json.Unmarshal(c.body, &f); err != nil {
		s.report("fakegithub: a form of %s %s that is not served: %v", c.Method, c.URL, err)
	}
	invalid := func(e object) (issueFields, answer) {
		refused := failure(http.StatusUnprocessableEntity, "Validation Failed")
		e["resource"] = "Issue"
		refused.body.(object)["errors"] = []object{e}
		return f, refused
	}
	creates := c.Method == http.MethodPost
	switch {
	case f.Title == nil && creates || f.Title != nil && strings.TrimSpace(*f.Title) == "":
		return invalid(object{"code": "missing_field", "field": "title"})
	case f.Title != nil && utf8.RuneCountInString(*f.Title) > maxTitle:
		return invalid(object{"code": "custom", "field": "title", "message": "title is too long (maximum is 256 characters)"})
	case f.Body != nil && utf8.RuneCountInString(*f.Body) > maxComment:
		return invalid(object{"code": "custom", "field": "body", "message": "body is too long (maximum is 65536 characters)"})
	case f.Assignees == nil:
		return f, answer{}
	}
	for _, login := range *f.Assignees {
		if role := r.role(login); role == "" || role == "none" {
			return invalid(object{"code": "invalid", "field": "assignees", "value": login})
		}
	}
	return f, answer{}
}
