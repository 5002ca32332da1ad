package awsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// issuer is an STS that numbers the credentials that it gives.
type issuer struct {
	*httptest.Server
	mu     sync.Mutex
	life   time.Duration
	refuse bool
	asked  []map[string]string // token and duration
}

func newIssuer(t *testing.T, life time.Duration) *issuer {
	i := &issuer{life: life}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.asked = append(i.asked, map[string]string{"token": r.FormValue("WebIdentityToken"), "duration": r.FormValue("DurationSeconds")})
		w.Header().Set("Content-Type", "text/xml")
		if i.refuse {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized</Message></Error></ErrorResponse>`)
			return
		}
		n := len(i.asked)
		io.WriteString(w, strings.NewReplacer("ASIA", fmt.Sprint("ASIA-", n), ">secret<", fmt.Sprintf(">secret-%d<", n), ">session<", fmt.Sprintf(">session-%d<", n)).
			Replace(credentialsFor(i.life)))
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) set(refuse bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refuse = refuse
}

func (i *issuer) times() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.asked)
}

// watcher has a clock that the test sets, and remembers what it is told.
type watcher struct {
	mu     sync.Mutex
	later  time.Duration
	given  []string
	failed []error
	ends   time.Time
}

func (w *watcher) watch() awsauth.Watch {
	return awsauth.Watch{
		Now: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return time.Now().Add(w.later)
		},
		Given: func(secrets ...string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.given = append(w.given, secrets...)
		},
		Failed: func(err error, ends time.Time) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failed = append(w.failed, err)
			w.ends = ends
		},
	}
}

func (w *watcher) at(later time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.later = later
}

func serve(t *testing.T, ctx context.Context, request awsauth.Request, w *watcher) *awsauth.Endpoint {
	t.Helper()
	e, err := awsauth.Serve(ctx, request, w.watch())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// terraform is the SDK as Terraform and its providers use it, with an endpoint's
// variables and no others.
func terraform(t *testing.T, e *awsauth.Endpoint, more ...string) aws.Config {
	t.Helper()
	for name, value := range e.Environment() {
		more = append(more, name+"="+value)
	}
	environment(t, more...)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// ask asks an endpoint as an SDK would, for what its address answers.
func ask(t *testing.T, e *awsauth.Endpoint) (int, map[string]string) {
	t.Helper()
	return send(t, http.MethodGet, e.Environment()["AWS_CONTAINER_CREDENTIALS_FULL_URI"], e.Environment()["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
}

func send(t *testing.T, method, address, token string) (int, map[string]string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var fields map[string]string
	if err := json.NewDecoder(response.Body).Decode(&fields); err != nil && method != http.MethodHead {
		t.Fatal(err)
	}
	return response.StatusCode, fields
}

func TestTheSDKHasTheRolesCredentialsFromAnEndpoint(t *testing.T) {
	moto := fakeaws.Start(t)
	environment(t, "AWS_ENDPOINT_URL="+moto.Endpoint)
	e := serve(t, t.Context(), request(github(t)), &watcher{})
	cfg := terraform(t, e, "AWS_ENDPOINT_URL="+moto.Endpoint)
	if cfg.Region != "us-east-2" {
		t.Errorf("region %q", cfg.Region)
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

// The SDK takes credentials for ended five minutes before they do.
func TestTheSDKAsksAgainAndGetsNewCredentialsEachWithANewToken(t *testing.T) {
	issuer := newIssuer(t, 5*time.Minute+2*time.Second)
	environment(t, "AWS_ENDPOINT_URL="+issuer.URL)
	w := &watcher{}
	cfg := terraform(t, serve(t, t.Context(), request(github(t)), w))
	var keys []string
	for len(keys) < 2 {
		time.Sleep(100 * time.Millisecond) // the credentials are used for 2 seconds
		credentials, err := cfg.Credentials.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(keys); n == 0 || keys[n-1] != credentials.AccessKeyID {
			keys = append(keys, credentials.AccessKeyID)
		}
	}
	tokens := map[string]bool{}
	for i, asked := range issuer.asked {
		if tokens[asked["token"]] || asked["token"] == "" {
			t.Error("a token was used twice")
		}
		tokens[asked["token"]] = true
		for _, secret := range []string{fmt.Sprint("secret-", i+1), fmt.Sprint("session-", i+1)} {
			if !slices.Contains(w.given, secret) {
				t.Errorf("%s was not told, to hide it", secret)
			}
		}
	}
}

func TestCredentialsAreRenewedTenMinutesBeforeTheirEnd(t *testing.T) {
	issuer := newIssuer(t, time.Hour)
	environment(t, "AWS_ENDPOINT_URL="+issuer.URL)
	w := &watcher{}
	r := request(github(t))
	r.Duration = 90 * time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	e := serve(t, ctx, r, w)
	cancel() // Terraform, told to stop, writes its state
	for _, step := range []struct {
		later time.Duration
		key   string
	}{
		{0, "ASIA-1"}, {time.Minute, "ASIA-1"}, {49*time.Minute + 50*time.Second, "ASIA-1"}, {50*time.Minute + time.Second, "ASIA-2"},
	} {
		w.at(step.later)
		status, got := ask(t, e)
		if status != http.StatusOK || got["AccessKeyId"] != step.key {
			t.Errorf("after %v: status %d, key %s, want %s", step.later, status, got["AccessKeyId"], step.key)
		}
		ends, err := time.Parse(time.RFC3339, got["Expiration"])
		if left := time.Until(ends); err != nil || left < 30*time.Minute || left > time.Hour {
			t.Errorf("ends at %s", got["Expiration"])
		}
	}
	for _, asked := range issuer.asked {
		if asked["duration"] != "5400" {
			t.Errorf("asked for %q seconds", asked["duration"])
		}
	}
}

func TestTheDurationIsLeftToSTS(t *testing.T) {
	issuer := newIssuer(t, time.Hour)
	environment(t, "AWS_ENDPOINT_URL="+issuer.URL)
	serve(t, t.Context(), request(github(t)), &watcher{})
	if asked := issuer.asked[0]["duration"]; asked != "" {
		t.Errorf("asked for %q seconds", asked)
	}
}

func TestWhatCannotBeRenewedIsUsedToItsEndAndThenTheErrorSaysWhy(t *testing.T) {
	issuer := newIssuer(t, time.Hour)
	environment(t, "AWS_ENDPOINT_URL="+issuer.URL)
	w := &watcher{}
	e := serve(t, t.Context(), request(github(t)), w)
	issuer.set(true)
	for _, step := range []struct {
		later  time.Duration
		status int
		asked  int // STS, so far
	}{
		{49 * time.Minute, http.StatusOK, 1},
		{51 * time.Minute, http.StatusOK, 2},
		{51*time.Minute + 20*time.Second, http.StatusOK, 2}, // not again at once
		{52 * time.Minute, http.StatusOK, 3},
		{61 * time.Minute, http.StatusForbidden, 4},
		{61*time.Minute + 20*time.Second, http.StatusForbidden, 4},
	} {
		w.at(step.later)
		status, got := ask(t, e)
		if status != step.status || issuer.times() != step.asked {
			t.Errorf("after %v: status %d, STS asked %d times: want %d and %d", step.later, status, issuer.times(), step.status, step.asked)
		}
		if status == http.StatusOK && got["AccessKeyId"] != "ASIA-1" {
			t.Errorf("after %v: %q", step.later, got["AccessKeyId"])
		}
	}
	if left := time.Until(w.ends); len(w.failed) != 1 || !strings.Contains(w.failed[0].Error(), "AccessDenied") || left < 30*time.Minute || left > time.Hour {
		t.Errorf("told %v, and that %v are left", w.failed, left)
	}

	// What Terraform shows. It does not ask again: for minutes, as the SDK would.
	var asked atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		e.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	terraform(t, e)
	address, err := url.Parse(e.Environment()["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", front.URL+address.Path)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = cfg.Credentials.Retrieve(t.Context())
	if err == nil || !strings.Contains(err.Error(), "CredentialsNotRenewed: assume role "+role+": AccessDenied: Not authorized: its trust policy") {
		t.Errorf("got error %v", err)
	}
	if asked.Load() != 1 {
		t.Errorf("the SDK asked %d times", asked.Load())
	}
	if strings.Contains(err.Error(), "eyJ") || strings.Contains(err.Error(), "secret-") {
		t.Errorf("the error shows a credential: %v", err)
	}

	issuer.set(false)
	w.at(62 * time.Minute)
	if status, got := ask(t, e); status != http.StatusOK || got["AccessKeyId"] != "ASIA-5" {
		t.Errorf("status %d, key %s", status, got["AccessKeyId"])
	}
}

func TestOneRenewalIsForAllWhoAskAtOnce(t *testing.T) {
	issuer := newIssuer(t, time.Hour)
	environment(t, "AWS_ENDPOINT_URL="+issuer.URL)
	w := &watcher{}
	e := serve(t, t.Context(), request(github(t)), w)
	w.at(55 * time.Minute)
	issuer.mu.Lock()
	issuer.life = 3 * time.Hour
	issuer.mu.Unlock()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if status, got := ask(t, e); status != http.StatusOK || got["AccessKeyId"] != "ASIA-2" {
				t.Errorf("status %d, key %s", status, got["AccessKeyId"])
			}
		})
	}
	all.Wait()
	if issuer.times() != 2 {
		t.Errorf("STS was asked %d times", issuer.times())
	}
}

func TestAnEndpointAnswersOnlyWhoKnowsItsToken(t *testing.T) {
	issuer := newIssuer(t, time.Hour)
	environment(t, "AWS_ENDPOINT_URL="+issuer.URL)
	w := &watcher{}
	e := serve(t, t.Context(), request(github(t)), w)
	address, token := e.Environment()["AWS_CONTAINER_CREDENTIALS_FULL_URI"], e.Environment()["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
	if !strings.HasPrefix(address, "http://127.0.0.1:") || len(token) < 26 || !slices.Contains(w.given, token) {
		t.Errorf("address %s, a token of %d characters, told: %v", address, len(token), slices.Contains(w.given, token))
	}
	for name, x := range map[string]struct {
		method, address, token string
		status                 int
	}{
		"no token":          {http.MethodGet, address, "", http.StatusUnauthorized},
		"another token":     {http.MethodGet, address, strings.Repeat("A", len(token)), http.StatusUnauthorized},
		"a part of it":      {http.MethodGet, address, token[:len(token)-1], http.StatusUnauthorized},
		"more":              {http.MethodGet, address, token + "A", http.StatusUnauthorized},
		"another path":      {http.MethodGet, address + "/x", token, http.StatusNotFound},
		"the root":          {http.MethodGet, strings.TrimSuffix(address, "/credentials"), token, http.StatusNotFound},
		"another method":    {http.MethodPost, address, token, http.StatusMethodNotAllowed},
		"the method to ask": {http.MethodHead, address, token, http.StatusMethodNotAllowed},
	} {
		if status, fields := send(t, x.method, x.address, x.token); status != x.status || fields["SecretAccessKey"] != "" || fields["AccessKeyId"] != "" {
			t.Errorf("%s: status %d, fields %v", name, status, fields)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(address); err == nil {
		t.Error("it answers after its end")
	}
}

func TestARoleThatIsRefusedIsNotServed(t *testing.T) {
	issuer := newIssuer(t, time.Hour)
	issuer.set(true)
	environment(t, "AWS_ENDPOINT_URL="+issuer.URL)
	w := &watcher{}
	_, err := awsauth.Serve(t.Context(), request(github(t)), w.watch())
	if err == nil || !strings.HasPrefix(err.Error(), "assume role "+role+": AccessDenied: ") || len(w.failed) != 0 {
		t.Errorf("got error %v, told %v", err, w.failed)
	}
	if _, err := awsauth.Serve(t.Context(), awsauth.Request{Region: "us-east-2"}, w.watch()); err == nil {
		t.Error("served no role")
	}
	environment(t)
	noRegion := request(github(t))
	noRegion.Region = ""
	if _, err := awsauth.Serve(t.Context(), noRegion, w.watch()); !errors.Is(err, awsauth.ErrNoRegion) {
		t.Errorf("without region: got error %v", err)
	}
}

// AWS's programs take a default profile's credentials before an endpoint's.
func TestTheDefaultProfileIsHidden(t *testing.T) {
	issuer := newIssuer(t, time.Hour)
	environment(t, "AWS_ENDPOINT_URL="+issuer.URL)
	e := serve(t, t.Context(), request(github(t)), &watcher{})
	const others = "[team]\naws_access_key_id = TEAM\naws_secret_access_key = t\n"
	for name, file := range map[string]struct{ variable, content string }{
		"credentials":          {"AWS_SHARED_CREDENTIALS_FILE", "[default]\naws_access_key_id = OLD\naws_secret_access_key = o\n" + others},
		"its own section last": {"AWS_SHARED_CREDENTIALS_FILE", others + " [ default ] # mine\r\naws_access_key_id = OLD\r\naws_secret_access_key = o\r\n"},
		"a comment within":     {"AWS_SHARED_CREDENTIALS_FILE", others + "[default]\n# [team]\n[team\naws_access_key_id = OLD\naws_secret_access_key = o\n"},
		"a command":            {"AWS_CONFIG_FILE", "[profile default]\nregion = eu-west-1\ncredential_process = /bin/echo '{\"Version\":1,\"AccessKeyId\":\"OLD\",\"SecretAccessKey\":\"o\"}'\n"},
	} {
		t.Run(name, func(t *testing.T) {
			home, private := t.TempDir(), t.TempDir()
			path := filepath.Join(home, "aws")
			if err := os.WriteFile(path, []byte(file.content), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg := terraform(t, e, file.variable+"="+path)
			if credentials, err := cfg.Credentials.Retrieve(t.Context()); err != nil || credentials.AccessKeyID != "OLD" {
				t.Fatalf("key %s, error %v: this test sees nothing", credentials.AccessKeyID, err)
			}
			hidden, err := awsauth.HideDefaultProfile(os.Getenv, home, private)
			if err != nil || len(hidden) != 1 {
				t.Fatalf("hidden %v, error %v", hidden, err)
			}
			if info, err := os.Stat(hidden[file.variable]); err != nil || info.Mode().Perm() != 0o600 || filepath.Dir(hidden[file.variable]) != private {
				t.Errorf("%v, error %v", info, err)
			}
			cfg = terraform(t, e, file.variable+"="+hidden[file.variable])
			if credentials, err := cfg.Credentials.Retrieve(t.Context()); err != nil || credentials.AccessKeyID != "ASIA-1" {
				t.Errorf("key %s, error %v", credentials.AccessKeyID, err)
			}
			if !strings.Contains(file.content, others) {
				return
			}
			cfg, err = config.LoadDefaultConfig(t.Context(), config.WithSharedConfigProfile("team"))
			if err != nil {
				t.Fatal(err)
			}
			if credentials, err := cfg.Credentials.Retrieve(t.Context()); err != nil || credentials.AccessKeyID != "TEAM" {
				t.Errorf("another profile: key %s, error %v", credentials.AccessKeyID, err)
			}
		})
	}
}

func TestWhereSharedFilesAreLookedFor(t *testing.T) {
	t.Parallel()
	home, work, private := t.TempDir(), t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(home, ".aws", "credentials"), filepath.Join(work, "config")} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("[default]\nregion = x\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	variables := map[string]string{"HOME": home, "AWS_CONFIG_FILE": "config"}
	hidden, err := awsauth.HideDefaultProfile(func(name string) string { return variables[name] }, work, private)
	want := map[string]string{
		"AWS_CONFIG_FILE":             filepath.Join(private, "aws-config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(private, "aws-credentials"),
	}
	if diff := cmp.Diff(want, hidden); err != nil || diff != "" {
		t.Errorf("error %v\n%s", err, diff)
	}
	variables["AWS_CONFIG_FILE"] = home // a folder
	if _, err := awsauth.HideDefaultProfile(func(name string) string { return variables[name] }, work, private); err == nil {
		t.Error("what can't be read was passed over")
	}
	hidden, err = awsauth.HideDefaultProfile(func(string) string { return filepath.Join(work, "missing") }, work, private)
	if err != nil || len(hidden) != 0 {
		t.Errorf("hidden %v, error %v", hidden, err)
	}
}
