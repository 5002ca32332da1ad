package fakegithub

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
)

// conditional adds an ETag to the answer of a read. If the client has that version, it answers 304.
// https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
func (s *Server) conditional(r *http.Request, a answer) answer {
	if r.Method != http.MethodGet || a.status != http.StatusOK {
		return a
	}
	body, err := json.Marshal(a.body)
	if err != nil {
		s.report("fakegithub: marshal an answer: %v", err)
	}
	tag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(body))
	header := a.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Etag", tag)
	if r.Header.Get("If-None-Match") == tag {
		return answer{status: http.StatusNotModified, header: header}
	}
	return answer{status: a.status, header: header, body: json.RawMessage(body)}
}
