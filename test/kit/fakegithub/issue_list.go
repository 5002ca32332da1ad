package fakegithub

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxPage is the first page, with 100 issues each, for which GitHub needs a cursor.
const maxPage = 100

// links are query parameters in an operation's Link header that the description does not have.
// They are accepted as they were given.
func (op operation) links() []string {
	if op.method == http.MethodGet && strings.HasSuffix(op.path, "/issues") {
		return []string{"after"}
	}
	return nil
}

// listIssues lists issues and pull requests. A page number alone is a position in the current
// list. The Link header also has a cursor, after which the list continues, even if issues
// before it have left the list.
// https://docs.github.com/en/rest/issues/issues#list-repository-issues
func (s *Server) listIssues(c call) answer {
	r, query := s.repository(c), c.URL.Query()
	for name := range query {
		if !slices.Contains([]string{"state", "labels", "sort", "direction", "per_page", "page", "after"}, name) {
			s.report("fakegithub: query parameter %q of %s is not served: one to add to listIssues", name, c.URL)
		}
	}
	if sort := query.Get("sort"); sort != "" && sort != "created" {
		s.report("fakegithub: sort=%s of %s is not served: one to add to listIssues", sort, c.URL)
	}
	var all []*issue
	for _, i := range r.issues {
		if i.deleted || i.in != nil || !i.fits(query.Get("state"), query.Get("labels")) ||
			i.pull == nil && !r.public && !c.account.may("read", "issues") {
			continue
		}
		all = append(all, i)
	}
	if query.Get("direction") != "asc" {
		slices.Reverse(all)
	}
	size, number := 30, 1
	if n, err := strconv.Atoi(query.Get("per_page")); err == nil {
		size = min(max(n, 1), 100)
	}
	if n, err := strconv.Atoi(query.Get("page")); err == nil {
		number = max(n, 1)
	}
	start := min((number-1)*size, len(all))
	switch after := query.Get("after"); {
	case after != "":
		start = len(all)
		last := cursorNumber(after)
		for at, i := range all {
			if query.Get("direction") == "asc" && i.Number > last || query.Get("direction") != "asc" && i.Number < last {
				start = at
				break
			}
		}
	case number >= maxPage:
		return failure(http.StatusUnprocessableEntity,
			"Pagination with the page parameter is not supported for large datasets, please use cursor based pagination (after/before)")
	}
	end := min(start+size, len(all))
	example, err := exampleOf("issue-items")
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	list := []object{}
	for _, i := range all[start:end] {
		list = append(list, s.issueObject(r, i, example))
	}
	a := answer{status: http.StatusOK, header: http.Header{}, body: list}
	if end < len(all) {
		query.Set("page", strconv.Itoa(number+1))
		query.Set("after", cursor(all[end-1].Number))
		a.header.Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, c.Host, c.URL.Path, query.Encode()))
	}
	return a
}

func (i *issue) fits(state, labels string) bool {
	if state == "" {
		state = "open"
	}
	if state != "all" && i.State != state {
		return false
	}
	for _, label := range strings.Split(labels, ",") {
		if label != "" && !i.has(label) {
			return false
		}
	}
	return true
}

func cursor(number int) string {
	return base64.StdEncoding.EncodeToString([]byte("cursor:" + strconv.Itoa(number)))
}

func cursorNumber(cursor string) int {
	text, _ := base64.StdEncoding.DecodeString(cursor)
	number, _ := strconv.Atoi(strings.TrimPrefix(string(text), "cursor:"))
	return number
}
