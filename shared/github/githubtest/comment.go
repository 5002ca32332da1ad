package githubtest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// Comment is one comment of a pull request.
type Comment struct {
	ID      int64
	Author  string
	Body    string
	Created time.Time
	Updated time.Time
}

type comment struct {
	Comment
	number int // the pull request's
}

// maxComment is GitHub's limit, in characters.
const maxComment = 65536

// AddComment has somebody comment on a pull request, and gives the comment's id.
func (r *Repository) AddComment(number int, author, body string) int64 {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	p := r.pull(number)
	if p == nil {
		r.server.report("githubtest: %s has no pull request #%d to comment on", r.name, number)
		return 0
	}
	return r.addComment(p, author, body).ID
}

func (r *Repository) addComment(p *pull, author, body string) *comment {
	now := time.Now()
	c := &comment{Comment{ID: r.server.id(), Author: author, Body: body, Created: now, Updated: now}, p.number}
	p.comments = append(p.comments, c)
	return c
}

// Comments lists a pull request's, the oldest first.
func (r *Repository) Comments(number int) []Comment {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	var list []Comment
	if p := r.pull(number); p != nil {
		for _, c := range p.comments {
			list = append(list, c.Comment)
		}
	}
	return list
}

func (s *Server) listComments(c call) answer {
	r := s.repository(c)
	p := r.pull(issueNumber(c))
	if p == nil {
		return failure(http.StatusNotFound, "Not Found")
	}
	comments, header := page(c.Request, p.comments)
	list := []object{}
	for _, comment := range comments {
		o, err := s.commentObject(r, comment)
		if err != nil {
			return failure(http.StatusInternalServerError, err.Error())
		}
		list = append(list, o)
	}
	return answer{status: http.StatusOK, header: header, body: list}
}

func (s *Server) createComment(c call) answer {
	r := s.repository(c)
	p := r.pull(issueNumber(c))
	if p == nil {
		return failure(http.StatusNotFound, "Not Found")
	}
	body, refused := commentBody(c)
	if refused.status != 0 {
		return refused
	}
	return s.commentAnswer(http.StatusCreated, r, r.addComment(p, c.account.login, body))
}

// updateComment lets whoever may write edit anyone's comment, as GitHub does.
func (s *Server) updateComment(c call) answer {
	r := s.repository(c)
	id, _ := strconv.ParseInt(c.PathValue("comment_id"), 10, 64) // the description says it is a number
	body, refused := commentBody(c)
	for _, p := range r.pulls {
		for _, comment := range p.comments {
			if comment.ID != id {
				continue
			}
			if refused.status != 0 {
				return refused
			}
			comment.Body, comment.Updated = body, time.Now()
			return s.commentAnswer(http.StatusOK, r, comment)
		}
	}
	return failure(http.StatusNotFound, "Not Found")
}

func issueNumber(c call) int {
	number, _ := strconv.Atoi(c.PathValue("issue_number")) // the description says it is a number
	return number
}

func commentBody(c call) (string, answer) {
	var fields struct{ Body string }
	_ = json.Unmarshal(c.body, &fields) // the description was checked already
	message := ""
	switch {
	case fields.Body == "":
		message = "Body can't be blank"
	case utf8.RuneCountInString(fields.Body) > maxComment:
		message = "Body is too long (maximum is 65536 characters)"
	default:
		return fields.Body, answer{}
	}
	refused := failure(http.StatusUnprocessableEntity, "Validation Failed")
	refused.body.(object)["errors"] = []object{{"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": message}}
	return "", refused
}

func (s *Server) commentAnswer(status int, r *Repository, c *comment) answer {
	o, err := s.commentObject(r, c)
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	return answer{status: status, header: http.Header{"Location": {o["url"].(string)}}, body: o}
}

func (s *Server) commentObject(r *Repository, c *comment) (object, error) {
	o, err := s.description.example("issue-comment")
	if err != nil {
		return nil, err
	}
	o["id"], o["body"] = c.ID, c.Body
	o["url"] = s.link(false, "/repos/%s/issues/comments/%d", r.name, c.ID)
	o["html_url"] = s.link(true, "/%s/pull/%d#issuecomment-%d", r.name, c.number, c.ID)
	o["issue_url"] = s.link(false, "/repos/%s/issues/%d", r.name, c.number)
	o["user"] = simpleUser(o["user"].(object), c.Author)
	o["created_at"], o["updated_at"] = timestamp(c.Created), timestamp(c.Updated)
	return o, nil
}
