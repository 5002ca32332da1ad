package mototest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Trail is an endpoint for AWS clients that passes each request on to a server and
// keeps it, with who made it: moto has no CloudTrail.
type Trail struct {
	server *Server

	mu      sync.Mutex
	calls   []Call
	roles   map[string]string // by access key
	secrets []string
}

// Call is a request that AWS would have authorized.
type Call struct {
	Service   string // as signed: s3, dynamodb, sts, …
	Operation string // as the API names it; for S3, the HTTP method
	// Role is the name of the caller's role: for AssumeRoleWithWebIdentity, of the
	// role that is asked for. Empty for credentials that no role has.
	Role      string
	Session   string // AssumeRoleWithWebIdentity: the session's name
	AccessKey string // AssumeRoleWithWebIdentity: of the credentials given out

	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
	Status int // of the answer
}

// NewTrail returns an empty trail in front of the server.
func NewTrail(s *Server) *Trail { return &Trail{server: s, roles: map[string]string{}} }

// Calls are the requests so far, in order of their answers.
func (t *Trail) Calls() []Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.calls)
}

// Secrets are the secret parts of the credentials that were given out so far.
func (t *Trail) Secrets() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.secrets)
}

// ServeHTTP passes a request on.
func (t *Trail) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fail := func(err error) { http.Error(w, err.Error(), http.StatusBadGateway) }
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fail(err)
		return
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, t.server.Endpoint+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		fail(err)
		return
	}
	out.Header, out.Host = r.Header, r.Host // the host is signed
	response, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		fail(err)
		return
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil {
		err = t.add(r, body, response.StatusCode, answer)
	}
	if err != nil {
		fail(err)
		return
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(answer) // the client is gone: nobody to tell
}

// signature is who signed a request, and for which service.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
var signature = regexp.MustCompile(`Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/`)

func (t *Trail) add(r *http.Request, body []byte, status int, answer []byte) error {
	call := Call{Method: r.Method, URL: r.URL, Header: r.Header.Clone(), Body: body, Status: status}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch found := signature.FindStringSubmatch(r.Header.Get("Authorization")); {
	case found == nil:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return fmt.Errorf("read a request that nobody signed: %w", err)
		}
		call.Service, call.Operation = "sts", form.Get("Action")
		call.Role, call.Session = path.Base(form.Get("RoleArn")), form.Get("RoleSessionName")
		var result struct {
			Credentials struct {
				AccessKeyID                   string `xml:"AccessKeyId"`
				SecretAccessKey, SessionToken string
			} `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
		}
		if status == http.StatusOK {
			if err := xml.Unmarshal(answer, &result); err != nil {
				return fmt.Errorf("read what STS answered: %w", err)
			}
			given := result.Credentials
			call.AccessKey = given.AccessKeyID
			t.roles[given.AccessKeyID] = call.Role
			t.secrets = append(t.secrets, given.SecretAccessKey, given.SessionToken)
		}
	case found[2] == "s3":
		call.Service, call.Operation, call.Role = found[2], r.Method, t.roles[found[1]]
	default:
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if operation == "" { // the query protocol of IAM and STS
			if form, err := url.ParseQuery(string(body)); err == nil {
				operation = form.Get("Action")
			}
		}
		call.Service, call.Operation, call.Role = found[2], operation, t.roles[found[1]]
	}
	t.calls = append(t.calls, call)
	return nil
}
