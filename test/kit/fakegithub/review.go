package fakegithub

import (
	"net/http"
	"slices"
	"time"
)

// Review is a review of a pull request. Review reads User, Body, State (default: "APPROVED") and
// Commit (default: the head).
type Review struct {
	ID     int64
	User   string // a person, or an app, whose login ends in "[bot]"
	State  string // "APPROVED", "CHANGES_REQUESTED", "COMMENTED" or "DISMISSED"
	Body   string
	Commit string // the head when it was submitted; empty if Git no longer has that commit
	Editor string // who changed the body last; empty: nobody
	At     time.Time
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
	p.reviews = append(p.reviews, &review)
	return review.ID
}

// DismissReview dismisses a review.
func (r *Repository) DismissReview(number int, id int64) {
	r.changeReview(number, id, func(review *Review) { review.State = "DISMISSED" })
}

// EditReview changes the body of a review. Whoever may write to the repository may do so.
func (r *Repository) EditReview(number int, id int64, editor, body string) {
	r.changeReview(number, id, func(review *Review) { review.Editor, review.Body = editor, body })
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
		o["id"], o["state"], o["body"], o["html_url"], o["pull_request_url"] = review.ID, review.State, review.Body, url, api
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
