package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Review is a review of a pull request. Review reads User, Body, State (default: "APPROVED") and
// Commit (default: the head).
type Review struct {
	ID     int64
	Node   string // its ID in GraphQL
	User   string // a person, or an app, whose login ends in "[bot]"
	State  string // "APPROVED", "CHANGES_REQUESTED", "COMMENTED" or "DISMISSED"
	Body   string
	Commit string // the head when it was submitted; empty if Git no longer has that commit
	Editor string // who changed the body last; empty: nobody
	At     time.Time
	edited time.Time
}

// Review reviews a pull request, which may be merged already, and returns the review's ID. GitHub
// refuses authors who approve their own pull request. This doesn't, so that a test can show that such
// a review counts for nothing.
func (r *Repository) Review(number int, review Review) int64 {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	p := r.pull(number)
	if p == nil {
		r.server.report("fakegithub: %s has no pull request #%d to review", r.name, number)
		return 0
	}
	if review.State == "" {
		review.State = "APPROVED"
	}
	if review.Commit == "" {
		review.Commit = p.HeadSHA
	}
	review.ID, review.At = r.server.id(), r.server.now()
	review.Node = fmt.Sprintf("PRR_%d", review.ID)
	p.reviews = append(p.reviews, &review)
	return review.ID
}

// DismissReview dismisses a review.
func (r *Repository) DismissReview(number int, id int64) {
	r.changeReview(number, id, func(review *Review) { review.State = "DISMISSED" })
}

// EditReview changes the body of a review. Whoever may write to the repository may do so.
func (r *Repository) EditReview(number int, id int64, editor, body string) {
	r.changeReview(number, id, func(review *Review) {
		review.Editor, review.Body, review.edited = editor, body, r.server.now()
	})
}

// LoseReviewedCommit makes Git forget the commit of a review, as after a forced push.
func (r *Repository) LoseReviewedCommit(number int, id int64) {
	r.changeReview(number, id, func(review *Review) { review.Commit = "" })
}

func (r *Repository) changeReview(number int, id int64, change func(*Review)) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if p := r.pull(number); p != nil {
		if i := slices.IndexFunc(p.reviews, func(review *Review) bool { return review.ID == id }); i >= 0 {
			change(p.reviews[i])
			return
		}
	}
	r.server.report("fakegithub: pull request #%d of %s has no review %d", number, r.name, id)
}

func (s *Server) listReviews(c call) answer {
	r, p := s.repository(c), s.askedPull(c)
	if p == nil {
		return failure(http.StatusNotFound, "Not Found")
	}
	reviews, header := page(c.Request, p.reviews)
	list := []object{}
	for _, review := range reviews {
		o, err := exampleOf("pull-request-review-items")
		if err != nil {
			return failure(http.StatusInternalServerError, err.Error())
		}
		url := s.link(true, "/%s/pull/%d#pullrequestreview-%d", r.name, p.issue.Number, review.ID)
		api := s.link(false, "/repos/%s/pulls/%d", r.name, p.issue.Number)
		o["id"], o["node_id"], o["state"], o["body"] = review.ID, review.Node, review.State, review.Body
		o["html_url"], o["pull_request_url"] = url, api
		o["_links"] = object{"html": object{"href": url}, "pull_request": object{"href": api}}
		o["user"] = simpleUser(o["user"].(object), review.User)
		o["submitted_at"], o["commit_id"] = timestamp(review.At), nil
		if review.Commit != "" {
			o["commit_id"] = review.Commit
		}
		list = append(list, o)
	}
	return answer{status: http.StatusOK, header: header, body: list}
}

// reviewNodes answers GraphQL's question about reviews: who edited them, and when. A node that is
// not there, or not to be seen, is null, and an error. s.mu is held.
func (s *Server) reviewNodes(a account, ids []string) object {
	nodes, problems := []any{}, []object{}
	for _, id := range ids {
		review := s.reviewNode(id)
		if review == nil || !a.may("read", "pull_requests") {
			nodes = append(nodes, nil)
			problems = append(problems, object{"type": "NOT_FOUND", "message": "Could not resolve to a node with the global id of '" + id + "'."})
			continue
		}
		o := object{"id": id, "lastEditedAt": nil, "editor": nil}
		if !review.edited.IsZero() {
			o["lastEditedAt"] = timestamp(review.edited)
			if review.Editor != "" { // else the account is gone
				o["editor"] = object{"login": strings.TrimSuffix(review.Editor, "[bot]")}
			}
		}
		nodes = append(nodes, o)
	}
	answer := object{"data": object{"nodes": nodes}}
	if len(problems) > 0 {
		answer["errors"] = problems
	}
	return answer
}

func (s *Server) reviewNode(id string) *Review {
	for _, r := range s.repositories {
		for _, i := range r.issues {
			if i.pull == nil {
				continue
			}
			for _, review := range i.pull.reviews {
				if review.Node == id {
					return review
				}
			}
		}
	}
	return nil
}
