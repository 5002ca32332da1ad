package awsauth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// The SDK reads the process's environment: these tests are not parallel.

const role = "arn:aws:iam::123456789012:role/gitops-plan"

// environment is all that the SDK finds: nothing but what the test gives.
func environment(t *testing.T, variables ...string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, value) // to have it put back
			os.Unsetenv(name)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing")
	variables = append([]string{
		"AWS_CONFIG_FILE=" + missing, "AWS_SHARED_CREDENTIALS_FILE=" + missing, "AWS_EC2_METADATA_DISABLED=true",
	}, variables...)
	for _, entry := range variables {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
}

// jwt is an ID token, with a signature that nobody checks.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

func tokenOf(subject string) string {
	return jwt(`{"iss":"https://token.actions.githubusercontent.com","aud":"sts.amazonaws.com","sub":"` + subject + `"}`)
}

// github is GitHub's endpoint for ID tokens, as the runner passes it on. It
// gives a new token each time.
func github(t *testing.T) *gha.Runtime {
	var count int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer request-token" {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		count++
		token := jwt(fmt.Sprintf(`{"jti":"%d","iss":"https://token.actions.githubusercontent.com","aud":%q,"sub":"repo:acme/infra:pull_request"}`,
			count, r.URL.Query().Get("audience")))
		fmt.Fprintf(w, `{"value":%q}`, token)
	}))
	t.Cleanup(server.Close)
	return gha.New([]string{
		"ACTIONS_ID_TOKEN_REQUEST_URL=" + server.URL + "/token?api-version=2.0",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-token",
	}, io.Discard)
}

func request(runtime *gha.Runtime) awsauth.Request {
	return awsauth.Request{
		Region:      "us-east-2",
		Role:        role,
		SessionName: awsauth.SessionName("acme/infra", "30433642", "vpc", "plat-ue2-dev"),
		Token: func(ctx context.Context) (string, error) {
			return runtime.IDToken(ctx, awsauth.Audience)
		},
	}
}

func TestAnIDTokenBecomesARolesCredentials(t *testing.T) {
	moto := fakeaws.Start(t)
	// Ambient credentials that would not load do not matter.
	environment(t, "AWS_ENDPOINT_URL="+moto.Endpoint, "AWS_WEB_IDENTITY_TOKEN_FILE=/missing")
	cfg, err := awsauth.Config(t.Context(), request(github(t)))
	if err != nil {
		t.Fatal(err)
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "arn:aws:sts::123456789012:assumed-role/gitops-plan/acme-infra@30433642@vpc@plat-ue2-dev"
	if diff := cmp.Diff(want, aws.ToString(identity.Arn)); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutARoleTheAmbientCredentialsAreUsed(t *testing.T) {
	environment(t, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=AKIA", "AWS_SECRET_ACCESS_KEY=secret")
	cfg, err := awsauth.Config(t.Context(), awsauth.Request{
		Token: func(context.Context) (string, error) { panic("no token is needed") },
	})
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || credentials.AccessKeyID != "AKIA" || cfg.Region != "eu-central-1" {
		t.Errorf("got key %s in %s, error %v", credentials.AccessKeyID, cfg.Region, err)
	}
}

func TestRegion(t *testing.T) {
	environment(t, "AWS_REGION=eu-central-1")
	cfg, err := awsauth.Config(t.Context(), awsauth.Request{Region: "us-east-2"})
	if err != nil || cfg.Region != "us-east-2" {
		t.Errorf("got region %q, error %v", cfg.Region, err)
	}
	environment(t)
	if _, err := awsauth.Config(t.Context(), awsauth.Request{}); !errors.Is(err, awsauth.ErrNoRegion) {
		t.Errorf("without region: got error %v", err)
	}
}

func TestARoleThatIsNone(t *testing.T) {
	environment(t, "AWS_REGION=us-east-2")
	for _, role := range []string{"gitops-plan", "arn:aws:iam::123456789012:user/x", "arn:aws:s3:::role/x"} {
		_, err := awsauth.Config(t.Context(), awsauth.Request{Role: role})
		want := fmt.Sprintf("role %q is not the ARN of a role, such as arn:aws:iam::123456789012:role/gitops-plan", role)
		if err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}

// security is an STS that gives one answer to all, and remembers the tokens.
type security struct {
	*httptest.Server
	mu     sync.Mutex
	tokens []string
}

func newSecurity(t *testing.T, status int, body string) *security {
	s := &security{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tokens = append(s.tokens, r.FormValue("WebIdentityToken"))
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

// credentialsFor is the answer of STS that lets a role in.
func credentialsFor(life time.Duration) string {
	return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>` +
		`<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>` +
		`<Expiration>` + time.Now().Add(life).UTC().Format(time.RFC3339) + `</Expiration>` +
		`</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
}

func TestCredentialsAreKeptUntilTheyEndAndThenRenewedWithANewToken(t *testing.T) {
	for name, test := range map[string]struct {
		life time.Duration
		asks int
	}{
		"an hour to go":   {time.Hour, 1},
		"a minute to go":  {time.Minute, 3},
		"already expired": {-time.Minute, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSecurity(t, http.StatusOK, credentialsFor(test.life))
			environment(t, "AWS_ENDPOINT_URL="+s.URL)
			cfg, err := awsauth.Config(t.Context(), request(github(t)))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := cfg.Credentials.Retrieve(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(s.tokens) != test.asks {
				t.Errorf("STS was asked %d times, want %d", len(s.tokens), test.asks)
			}
			seen := map[string]bool{}
			for _, token := range s.tokens {
				if seen[token] {
					t.Error("a token was used twice")
				}
				seen[token] = true
			}
		})
	}
}

func TestNoTokenNoRole(t *testing.T) {
	environment(t, "AWS_REGION=us-east-2")
	_, err := awsauth.Config(t.Context(), request(gha.New(nil, io.Discard)))
	want := "assume role " + role + ": GitHub gives this run no ID token: give the job (or the workflow) `permissions: id-token: write`"
	if !errors.Is(err, gha.ErrNoIDToken) || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestNoAnswerFromAWS(t *testing.T) {
	s := newSecurity(t, 200, "")
	s.Close()
	environment(t, "AWS_ENDPOINT_URL="+s.URL, "AWS_MAX_ATTEMPTS=1")
	_, err := awsauth.Config(t.Context(), request(github(t)))
	if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "eyJ") {
		t.Errorf("got error %v", err)
	}
}
