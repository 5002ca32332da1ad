package ghatest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/shared/mototest"
)

// account is a story's AWS account. It keeps a trail of the calls, since moto
// has no CloudTrail.
type account struct {
	server        *mototest.Server
	bucket, table string
	trail         string // file with a line for each call

	mu      sync.Mutex
	roles   map[string]string // of each access key
	secrets []string          // ID tokens, and the credentials that STS gave out
}

// stores numbers the stories' buckets and tables.
var stores atomic.Int64

// aws gives the story an AWS account: a bucket and a table, an endpoint, and the
// runner's ID token service. There are no ambient credentials.
func aws(ts *testscript.TestScript, s *story, _ []string) {
	if s.AWS == nil {
		ts.Fatalf("this test has no AWS")
	}
	n := stores.Add(1)
	s.account = &account{
		server: s.AWS, bucket: fmt.Sprintf("planfiles-%d", n), table: fmt.Sprintf("plans-%d", n),
		trail: ts.MkAbs("trail"), roles: map[string]string{},
	}
	ts.Check(mototest.NewStore(context.Background(), s.AWS.Config(), s.account.bucket, s.account.table))
	endpoint := httptest.NewServer(s.account)
	ts.Defer(endpoint.Close)
	tokens := httptest.NewServer(http.HandlerFunc(s.account.giveToken))
	ts.Defer(tokens.Close)
	for name, value := range map[string]string{
		"BUCKET": s.account.bucket, "TABLE": s.account.table,
		"AWS_ENDPOINT_URL": endpoint.URL, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"ACTIONS_ID_TOKEN_REQUEST_URL": tokens.URL + "/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token",
	} {
		ts.Setenv(name, value)
	}
}

// giveToken is the runner's service for ID tokens. Each is another one.
func (a *account) giveToken(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer request-token" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"jti":"%d","sub":"repo:%s:pull_request","aud":%q}`, len(a.secrets), repository, r.URL.Query().Get("audience"))
	token := encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
	a.secrets = append(a.secrets, token)
	_ = json.NewEncoder(w).Encode(map[string]string{"value": token})
}

// ServeHTTP passes a request on to moto and writes it to the trail.
func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fail := func(err error) { http.Error(w, err.Error(), http.StatusBadGateway) }
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fail(err)
		return
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, a.server.Endpoint+r.URL.RequestURI(), bytes.NewReader(body))
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
		err = a.record(r, body, answer)
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

// record adds a call to the trail: SERVICE CALL ROLE, and for a role that is
// taken on also the session's name and its access key.
func (a *account) record(r *http.Request, body, answer []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var line string
	switch found := signature.FindStringSubmatch(r.Header.Get("Authorization")); {
	case found == nil:
		var result struct {
			Credentials struct {
				AccessKeyID                   string `xml:"AccessKeyId"`
				SecretAccessKey, SessionToken string
			} `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
		}
		form, err := url.ParseQuery(string(body))
		if err == nil {
			err = xml.Unmarshal(answer, &result)
		}
		if err != nil {
			return err
		}
		given := result.Credentials
		role := path.Base(form.Get("RoleArn"))
		a.roles[given.AccessKeyID] = role
		a.secrets = append(a.secrets, given.SecretAccessKey, given.SessionToken)
		line = fmt.Sprintf("sts %s %s %s %s", form.Get("Action"), role, form.Get("RoleSessionName"), given.AccessKeyID)
	case found[2] == "s3":
		line = fmt.Sprintf("s3 %s %s", r.Method, a.roles[found[1]])
	default:
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		line = fmt.Sprintf("%s %s %s", found[2], operation, a.roles[found[1]])
	}
	f, err := os.OpenFile(a.trail, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, line)
	return err
}

// known are the secrets that were given out so far.
func (a *account) known() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.secrets)
}

// shown is what those see who may not read planfiles: every item, and every key
// and tag of an object.
func (a *account) shown(ctx context.Context) ([]byte, error) {
	var all bytes.Buffer
	items, err := dynamodb.NewFromConfig(a.server.Config()).Scan(ctx, &dynamodb.ScanInput{TableName: &a.table})
	if err != nil {
		return nil, err
	}
	for _, item := range items.Items {
		encoded, err := json.Marshal(item)
		if err != nil {
			return nil, err
		}
		all.Write(append(encoded, '\n'))
	}
	objects := s3.NewFromConfig(a.server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	list, err := objects.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &a.bucket})
	if err != nil {
		return nil, err
	}
	for _, object := range list.Versions {
		head, err := objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &a.bucket, Key: object.Key})
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(&all, *object.Key, head.Metadata)
	}
	return all.Bytes(), nil
}
