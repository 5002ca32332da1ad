package fakegithub

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Comment is one comment of an issue or a pull request.
type Comment struct {
	ID      int64
	Author  string
	Body    string
	Created time.Time
	Updated time.Time
}

type comment struct {
	Comment
	issue *issue
}

// maxComment is GitHub's limit, in characters.
const maxComment = 65536

// AddComment adds a person's comment to an issue or a pull request, and returns its ID.
func (r *Repository) AddComment(number int, author, body string) int64 {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	i := r.acted(number, "comment on")
	if i == nil {
		return 0
	}
	return r.addComment(i, author, body).ID
}

func (r *Repository) addComment(i *issue, author, body string) *comment {
	now := r.server.now()
	c := &comment{Comment{ID: r.server.id(), Author: author, Body: body, Created: now, Updated: now}, i}
	i.comments = append(i.comments, c)
	i.Updated = now
	return c
}

// Comments lists the comments of an issue or a pull request, the oldest first.
func (r *Repository) Comments(number int) []Comment {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	var list []Comment
	if i := r.issue(number); i != nil {
		for _, c := range i.comments {
			list = append(list, c.Comment)
		}
	}
	return list
}

func (s *Server) listComments(c call) answer {
	r := s.repository(c)
	i, refused := s.asked(c)
	if i == nil {
		return refused
	}
	comments, header := page(c.Request, i.comments)
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
	i, refused := s.asked(c)
	if i == nil {
		return refused
	}
	// A person with write permission can comment; an app or a workflow can't.
	if i.Locked && strings.HasSuffix(c.account.login, "[bot]") {
		return failure(http.StatusForbidden, "Unable to create comment because issue is locked.")
	}
	body, refused := commentBody(c)
	if refused.status != 0 {
		return refused
	}
	return s.commentAnswer(http.StatusCreated, r, r.addComment(i, c.account.login, body))
}

// updateComment lets an account with write permission edit every comment, like GitHub.
func (s *Server) updateComment(c call) answer {
	r := s.repository(c)
	id, _ := strconv.ParseInt(c.PathValue("comment_id"), 10, 64) // the description says it is a number
	body, refused := commentBody(c)
	for _, i := range r.issues {
		for _, comment := range i.comments {
			if comment.ID != id {
				continue
			}
			if refused.status != 0 {
				return refused
			}
			comment.Body, comment.Updated = body, s.now()
			return s.commentAnswer(http.StatusOK, r, comment)
		}
	}
	return failure(http.StatusNotFound, "Not Found")
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
	o, err := exampleOf("issue-comment")
	if err != nil {
		return nil, err
	}
	o["id"], o["body"] = c.ID, c.Body
	o["url"] = s.link(false, "/repos/%s/issues/comments/%d", r.name, c.ID)
	o["html_url"] = s.link(true, "/%s/%s/%d#issuecomment-%d", r.name, c.issue.page(), c.issue.Number, c.ID)
	o["issue_url"] = s.link(false, "/repos/%s/issues/%d", r.name, c.issue.Number)
	o["user"] = simpleUser(o["user"].(object), c.Author)
	o["created_at"], o["updated_at"] = timestamp(c.Created), timestamp(c.Updated)
	return o, nil
}
