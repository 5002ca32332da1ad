package fakerunner

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// account is a story's AWS account.
type account struct {
	server        *fakeaws.Server
	bucket, table string
	trail         *fakeaws.Trail
	file          string // with a line for each call
	refusals      string // folder with what to refuse; see awsError
	claims        string // file with more claims of the ID tokens

	mu     sync.Mutex
	tokens []string // that were given out
}

// stores is for the numbers in the names of the stories' buckets and tables.
var stores atomic.Int64

// aws gives the story an AWS account: a bucket and a table, an endpoint, and the runner's service
// for ID tokens. There are no ambient credentials.
func aws(ts *testscript.TestScript, s *story, args []string) {
	if s.AWS == nil {
		ts.Fatalf("this test has no AWS")
	}
	n := stores.Add(1)
	s.account = &account{
		server: s.AWS, bucket: fmt.Sprintf("planfiles-%d", n), table: fmt.Sprintf("plans-%d", n),
		file: ts.MkAbs("trail"), refusals: ts.MkAbs("refusals"), claims: ts.MkAbs("claims.json"), trail: fakeaws.NewTrail(s.AWS),
	}
	s.account.trail.Refuse, s.account.trail.Kept = s.account.refuse, s.account.write
	if len(args) == 1 {
		s.account.trail.Life = time.Duration(number(ts, args[0])) * time.Second
	}
	ts.Check(fakeaws.NewStore(context.Background(), s.AWS.Config(), s.account.bucket, s.account.table))
	endpoint := httptest.NewServer(s.account.trail)
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

// giveToken is the runner's service for ID tokens. Each token is a new one.
func (a *account) giveToken(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer request-token" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	claims := map[string]any{
		"iss": "https://token.actions.githubusercontent.com", "sub": "repo:" + repository + ":pull_request",
		"aud": r.URL.Query().Get("audience"), "jti": len(a.tokens),
	}
	if more, err := os.ReadFile(a.claims); err == nil {
		if err := json.Unmarshal(more, &claims); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"RS256"}`)) + "." + encode(payload) + "." + encode([]byte("signature"))
	a.tokens = append(a.tokens, token)
	_ = json.NewEncoder(w).Encode(map[string]string{"value": token})
}

// write adds a call to the trail: SERVICE CALL ROLE KEY. For a role that is assumed, the
// session's name comes before the access key.
func (a *account) write(c fakeaws.Call) error {
	f, err := os.OpenFile(a.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	words := []any{c.Service, c.Operation, c.Role, c.AccessKey}
	if c.Session != "" {
		words = slices.Insert(words, 3, any(c.Session))
	}
	_, err = fmt.Fprintln(f, words...)
	return err
}

// known lists the ID tokens and credentials that were issued so far.
func (a *account) known() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Concat(a.tokens, a.trail.Secrets())
}

// shown is what people can see who may not read planfiles: every item, and the keys and tags of
// all objects.
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
