package fakeaws

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
	"time"
)

// Trail is an endpoint for AWS clients. It passes each request on to a server, and records it with
// its caller, since moto has no CloudTrail.
type Trail struct {
	// Refuse, unless nil, may answer a call itself. Then the call is not passed on, and not
	// recorded.
	Refuse func(http.ResponseWriter, Call) (refused bool, err error)
	// Kept, unless nil, is called with each recorded call, one at a time.
	Kept func(Call) error
	// Life, unless 0, is how long STS's credentials are valid.
	Life time.Duration

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
	// Role is the name of the caller's role or, for AssumeRoleWithWebIdentity, of the
	// requested role. It is empty for credentials that belong to no role.
	Role      string
	AccessKey string // the caller's; for AssumeRoleWithWebIdentity, the one in the answer
	Session   string // AssumeRoleWithWebIdentity: the session's name

	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
}

// NewTrail returns an empty trail in front of the server.
func NewTrail(s *Server) *Trail { return &Trail{server: s, roles: map[string]string{}} }

// Calls are the requests so far, in order of their answers.
func (t *Trail) Calls() []Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.calls)
}

// Secrets lists the secret parts of the credentials that were issued so far.
func (t *Trail) Secrets() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.secrets)
}

// ServeHTTP passes a request on.
func (t *Trail) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := t.serve(w, r); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func (t *Trail) serve(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	call, err := t.read(r, body)
	if err != nil {
		return err
	}
	if t.Refuse != nil {
		if refused, err := t.Refuse(w, call); refused || err != nil {
			return err
		}
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, t.server.Endpoint+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	out.Header, out.Host = r.Header, r.Host // the host is signed
	response, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if t.Life > 0 {
		ends := time.Now().Add(t.Life).UTC().Format(time.RFC3339)
		answer = expiration.ReplaceAll(answer, []byte("<Expiration>"+ends+"</Expiration>"))
		response.Header.Del("Content-Length")
	}
	if err := t.keep(call, response.StatusCode, answer); err != nil {
		return err
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(answer) // the client is gone: nobody to tell
	return nil
}

// signature matches the access key that signed a request, and the service.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
var signature = regexp.MustCompile(`Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/`)

// expiration matches the end of STS's credentials.
var expiration = regexp.MustCompile(`<Expiration>[^<]*</Expiration>`)

// read finds out which call a request is. Only AssumeRoleWithWebIdentity is not signed.
func (t *Trail) read(r *http.Request, body []byte) (Call, error) {
	call := Call{Method: r.Method, URL: r.URL, Header: r.Header.Clone(), Body: body}
	found := signature.FindStringSubmatch(r.Header.Get("Authorization"))
	if found == nil {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return Call{}, fmt.Errorf("read a request that nobody signed: %w", err)
		}
		call.Service, call.Operation = "sts", form.Get("Action")
		call.Role, call.Session = path.Base(form.Get("RoleArn")), form.Get("RoleSessionName")
		return call, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	call.AccessKey, call.Service, call.Role = found[1], found[2], t.roles[found[1]]
	call.Operation = r.Method
	if call.Service != "s3" {
		_, call.Operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	}
	return call, nil
}

// keep records a call that was answered.
func (t *Trail) keep(call Call, status int, answer []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if call.Session != "" && status == http.StatusOK {
		var result struct {
			Credentials struct {
				AccessKeyID                   string `xml:"AccessKeyId"`
				SecretAccessKey, SessionToken string
			} `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
		}
		if err := xml.Unmarshal(answer, &result); err != nil {
			return fmt.Errorf("read what STS answered: %w", err)
		}
		given := result.Credentials
		call.AccessKey = given.AccessKeyID
		t.roles[given.AccessKeyID] = call.Role
		t.secrets = append(t.secrets, given.SecretAccessKey, given.SessionToken)
	}
	t.calls = append(t.calls, call)
	if t.Kept != nil {
		return t.Kept(call)
	}
	return nil
}
